import type { KeyObject } from 'node:crypto'

// Node has it since 26.9; @types/node 26.6 does not know it yet.
declare module 'node:crypto' {
  interface Mac {
    update(data: NodeJS.ArrayBufferView): this
    final(): Buffer
  }
  function createMac(algorithm: 'poly1305', key: NodeJS.ArrayBufferView | KeyObject): Mac
}
