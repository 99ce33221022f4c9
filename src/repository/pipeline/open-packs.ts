import { randomInt } from 'node:crypto'
import type { BlobType } from '../format/pack-header.ts'
import type { Sealer } from '../format/seal.ts'
import { type BuiltPack, PackBuilder, dataPackBytes } from './pack-builder.ts'

/** Room of one sealing thread: data packs that fill at once, and buffers for them; those that do not fill are on their way to the store. */
export interface PackRoom {
  readonly filling: number
  readonly buffers: number
}

/**
 * The packs one thread fills, and its buffers: made when first needed, then used again and again. They are shared and not handed from thread to thread, because V8
 * collects everything whenever 64 MiB arrived at a thread: 29 times for 1 GiB to S3, an eighth of all CPU. Trees have a buffer of their own, of which as a rule only
 * the beginning is ever touched, and so takes memory.
 */
export class OpenPacks {
  readonly #sealer: Sealer
  readonly #onPack: (pack: BuiltPack) => void
  readonly #open: Readonly<Record<BlobType, Array<PackBuilder | undefined>>>
  readonly #buffers: Readonly<Record<BlobType, Buffers>>

  constructor(sealer: Sealer, { filling, buffers }: PackRoom, onPack: (pack: BuiltPack) => void) {
    this.#open = { data: Array.from({ length: filling }, () => undefined), tree: [undefined] }
    this.#buffers = { data: new Buffers(buffers), tree: new Buffers(1) }
    this.#sealer = sealer
    this.#onPack = onPack
  }

  /** One of those that fill, by chance (`SealPool` says why), with room for this. Waits for a buffer. */
  async open(type: BlobType, sealedBytes: number): Promise<PackBuilder> {
    const packs = this.#open[type]
    const which = packs.length === 1 ? 0 : randomInt(packs.length)
    const open = packs[which]
    if (open && !open.hasRoomFor(sealedBytes)) this.#close(open)
    return (packs[which] ??= new PackBuilder(type, await this.#buffers[type].take()))
  }

  closeIfFull(pack: PackBuilder): void {
    if (pack.isFull) this.#close(pack)
  }

  closeAll(): void {
    for (const pack of [...this.#joined(), ...this.#open.tree]) if (pack) this.#give(pack)
    for (const packs of Object.values(this.#open)) packs.fill(undefined)
  }

  giveBack(type: BlobType, buffer: SharedArrayBuffer): void {
    this.#buffers[type].giveBack(buffer)
  }

  #close(pack: PackBuilder): void {
    const packs = this.#open[pack.type]
    packs[packs.indexOf(pack)] = undefined
    this.#give(pack)
  }

  #give(pack: PackBuilder): void {
    const built = pack.build(this.#sealer)
    // One blob was longer than a pack: what goes away is not the buffer that came from here.
    if (!(built.buffer instanceof SharedArrayBuffer)) this.#buffers[pack.type].replace()
    this.#onPack(built)
  }

  /** Two halves become one pack where that stays near the target. */
  #joined(): Array<PackBuilder | undefined> {
    const [a, b] = this.#open.data
    if (!a || !b || !a.canAbsorb(b)) return [a, b]
    a.absorb(b)
    return [a]
  }
}

class Buffers {
  readonly #free: SharedArrayBuffer[] = []
  readonly #most: number
  #made = 0
  #wake: (() => void) | undefined

  constructor(most: number) {
    this.#most = most
  }

  async take(): Promise<SharedArrayBuffer> {
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

  giveBack(buffer: SharedArrayBuffer): void {
    this.#free.push(buffer)
    this.#wake?.()
  }

  /** One of them does not come back. */
  replace(): void {
    this.#made--
    this.#wake?.()
  }
}
