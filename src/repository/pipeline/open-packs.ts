import { randomInt } from 'node:crypto'
import type { Sealer } from '../format/seal.ts'
import { maxChunkBytes } from '../kernel/chunker.ts'
import { type BuiltPack, PackBuilder, packTargetBytes } from './pack-builder.ts'

const dataBufferBytes = packTargetBytes + maxChunkBytes + (1 << 20)
const treeBufferBytes = 1 << 20

/** The packs one thread fills, and its buffers: made when first needed, then used again and again. */
export class OpenPacks {
  readonly #sealer: Sealer
  readonly #onPack: (pack: BuiltPack) => void
  readonly #data: Array<PackBuilder | undefined> = [undefined, undefined]
  #trees: PackBuilder | undefined
  readonly #free: ArrayBuffer[] = []
  readonly #most: number
  #made = 0
  #wake: (() => void) | undefined

  /** `buffers`: two data packs fill at once; more than two are on their way to the store. */
  constructor(sealer: Sealer, buffers: number, onPack: (pack: BuiltPack) => void) {
    this.#most = buffers
    this.#sealer = sealer
    this.#onPack = onPack
  }

  /** One of two by chance, so that the lengths of blobs in a pack do not give away the order of chunks. Waits for a buffer. */
  async data(): Promise<PackBuilder> {
    const which = randomInt(2)
    return (this.#data[which] ??= new PackBuilder('data', await this.#buffer()))
  }

  trees(): PackBuilder {
    return (this.#trees ??= new PackBuilder('tree', new ArrayBuffer(treeBufferBytes)))
  }

  closeIfFull(pack: PackBuilder): void {
    if (pack.usedBytes < packTargetBytes) return
    const at = this.#data.indexOf(pack)
    if (at >= 0) this.#data[at] = undefined
    else this.#trees = undefined
    this.#onPack(pack.build(this.#sealer))
  }

  closeAll(): void {
    for (const pack of [...this.#joined(), this.#trees]) if (pack) this.#onPack(pack.build(this.#sealer))
    this.#data.fill(undefined)
    this.#trees = undefined
  }

  giveBack(buffer: ArrayBuffer): void {
    if (buffer.byteLength !== dataBufferBytes) return
    this.#free.push(buffer)
    this.#wake?.()
  }

  /** Two halves become one pack where that stays near the target. */
  #joined(): Array<PackBuilder | undefined> {
    const [a, b] = this.#data
    if (!a || !b || a.usedBytes + b.usedBytes > packTargetBytes) return [a, b]
    a.absorb(b)
    return [a]
  }

  async #buffer(): Promise<ArrayBuffer> {
    for (;;) {
      const free = this.#free.pop()
      if (free) return free
      if (this.#made < this.#most) {
        this.#made++
        return new ArrayBuffer(dataBufferBytes)
      }
      await new Promise<void>((resolve) => (this.#wake = resolve))
      this.#wake = undefined
    }
  }
}
