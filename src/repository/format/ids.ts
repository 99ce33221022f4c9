import { hash } from 'node:crypto'

/** 64 lower-case hex digits: the SHA-256 of what it names. */
export type Id = string

export const idBytes = 32

export function sha256(bytes: Uint8Array): Buffer {
  return hash('sha256', bytes, 'buffer')
}

export function sha256Hex(bytes: Uint8Array): Id {
  return hash('sha256', bytes, 'hex')
}

/** Names in a repository that are not ids are leftovers or strangers and are passed over. */
export function isId(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text)
}

/** Eight digits, as people read and write ids. */
export function shortId(id: Id): string {
  return id.slice(0, 8)
}
