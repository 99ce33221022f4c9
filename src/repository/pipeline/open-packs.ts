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
 * collects everything whenever 64 MiB arrived at a thread: 29 times for 1 GiB to S3, an eighth of all CPU.
 */
export class OpenPacks {
  readonly #sealer: Sealer
  readonly #onPack: (pack: BuiltPack) => void
  readonly #open: Readonly<Record<BlobType, Array<PackBuilder | undefined>>>
  readonly #buffers: Buffers

  constructor(sealer: Sealer, { filling, buffers }: PackRoom, onPack: (pack: BuiltPack) => void) {
    this.#open = { data: Array.from({ length: filling }, () => undefined), tree: [undefined] }
    this.#buffers = new Buffers(buffers)
    this.#sealer = sealer
    this.#onPack = onPack
  }

  /** One of those that fill, by chance (`SealPool` says why), with room for this. Waits for a buffer. */
  async open(type: BlobType, sealedBytes: number): Promise<PackBuilder> {
    const packs = this.#open[type]
    const which = packs.length === 1 ? 0 : randomInt(packs.length)
    const open = packs[which]
    if (open && !open.hasRoomFor(sealedBytes)) this.#close(open)
    return (packs[which] ??= new PackBuilder(type, await this.#buffers.take(type)))
  }

  closeIfFull(pack: PackBuilder): void {
    if (pack.isFull) this.#close(pack)
  }

  closeAll(): void {
    for (const pack of [...this.#joined(), ...this.#open.tree]) if (pack) this.#give(pack)
    for (const packs of Object.values(this.#open)) packs.fill(undefined)
  }

  giveBack(buffer: SharedArrayBuffer): void {
    this.#buffers.giveBack(buffer)
  }

  #close(pack: PackBuilder): void {
    const packs = this.#open[pack.type]
    packs[packs.indexOf(pack)] = undefined
    this.#give(pack)
  }

  #give(pack: PackBuilder): void {
    const built = pack.build(this.#sealer)
    this.#buffers.went(pack.type, built.buffer)
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

/**
 * Trees have one buffer more. With data, as from a folder, only its beginning is touched as a rule, and so takes memory; behind the data, as from a tar, it is one that
 * data no longer needs.
 */
class Buffers {
  readonly #free: SharedArrayBuffer[] = []
  readonly #most: number
  #made = 0
  #forTrees = 0
  #wake: (() => void) | undefined

  constructor(most: number) {
    this.#most = most
  }

  async take(type: BlobType): Promise<SharedArrayBuffer> {
    if (type === 'tree') this.#forTrees = 1
    for (;;) {
      const free = this.#free.pop()
      if (free) return free
      if (this.#made < this.#most + this.#forTrees) {
        this.#made++
        return new SharedArrayBuffer(dataPackBytes)
      }
      await new Promise<void>((resolve) => (this.#wake = resolve))
      this.#wake = undefined
    }
  }

  /** What a pack was built in leaves this thread. It does not come back where one blob was longer than a pack. */
  went(type: BlobType, buffer: ArrayBufferLike): void {
    if (type === 'tree') this.#forTrees = 0
    if (buffer instanceof SharedArrayBuffer) return
    this.#made--
    this.#wake?.()
  }

  giveBack(buffer: SharedArrayBuffer): void {
    this.#free.push(buffer)
    this.#wake?.()
  }
}
