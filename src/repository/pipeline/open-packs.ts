import { randomInt } from 'node:crypto'
import type { Sealer } from '../format/seal.ts'
import { type BuiltPack, PackBuilder, dataPackBytes, treePackBytes } from './pack-builder.ts'

/** Room of one sealing thread: data packs that fill at once, and buffers for them; those that do not fill are on their way to the store. */
export interface PackRoom {
  readonly filling: number
  readonly buffers: number
}

/**
 * The packs one thread fills, and its buffers: made when first needed, then used again and again. They are shared and not handed from thread to thread, because V8
 * collects everything whenever 64 MiB arrived at a thread: 29 times for 1 GiB to S3, an eighth of all CPU.
 */
export class OpenPacks {
  readonly #sealer: Sealer
  readonly #onPack: (pack: BuiltPack) => void
  readonly #data: Array<PackBuilder | undefined>
  #trees: PackBuilder | undefined
  readonly #free: SharedArrayBuffer[] = []
  readonly #most: number
  #made = 0
  #wake: (() => void) | undefined

  constructor(sealer: Sealer, { filling, buffers }: PackRoom, onPack: (pack: BuiltPack) => void) {
    this.#data = Array.from({ length: filling }, () => undefined)
    this.#most = buffers
    this.#sealer = sealer
    this.#onPack = onPack
  }

  /** One of those that fill, by chance (`SealPool` says why), with room for this. Waits for a buffer. */
  async data(sealedBytes: number): Promise<PackBuilder> {
    const which = this.#data.length === 1 ? 0 : randomInt(this.#data.length)
    const open = this.#data[which]
    if (open && !open.hasRoomFor(sealedBytes)) this.#close(open)
    return (this.#data[which] ??= new PackBuilder('data', await this.#buffer()))
  }

  trees(): PackBuilder {
    return (this.#trees ??= new PackBuilder('tree', new ArrayBuffer(treePackBytes)))
  }

  closeIfFull(pack: PackBuilder): void {
    if (pack.isFull) this.#close(pack)
  }

  closeAll(): void {
    for (const pack of [...this.#joined(), this.#trees]) if (pack) this.#onPack(pack.build(this.#sealer))
    this.#data.fill(undefined)
    this.#trees = undefined
  }

  giveBack(buffer: SharedArrayBuffer): void {
    this.#free.push(buffer)
    this.#wake?.()
  }

  #close(pack: PackBuilder): void {
    const at = this.#data.indexOf(pack)
    if (at >= 0) this.#data[at] = undefined
    else this.#trees = undefined
    this.#onPack(pack.build(this.#sealer))
  }

  /** Two halves become one pack where that stays near the target. */
  #joined(): Array<PackBuilder | undefined> {
    const [a, b] = this.#data
    if (!a || !b || !a.canAbsorb(b)) return [a, b]
    a.absorb(b)
    return [a]
  }

  async #buffer(): Promise<SharedArrayBuffer> {
    for (;;) {
      const free = this.#free.pop()
      if (free) return free
      if (this.#made < this.#most) {
        this.#made++
        return new SharedArrayBuffer(dataPackBytes)
      }
      await new Promise<void>((resolve) => (this.#wake = resolve))
      this.#wake = undefined
    }
  }
}
