import { type IdTable, createIdTable, findId, fullest, idKey, insertId, slotHeadWords } from './id-table.ts'
import { type ListedPack, blobCountOf, blobsOf } from './format/index-file.ts'
import type { Id } from './format/ids.ts'
import { type BlobType, type PackedBlob, rawLength } from './format/pack-header.ts'

export interface BlobLocation {
  readonly pack: Id
  readonly offset: number
  readonly length: number
  readonly uncompressedLength?: number | undefined
}

/** Pack number, offset, length, plain length (0: not compressed). */
export const indexExtraWords = 4

/**
 * Where every blob lies, in shared memory that the sealing threads read as well: 52 bytes a slot, 69 to 139 a blob, so 500,000 blobs (about
 * 750 GB of data) take 52 MB. Of several places of one blob the first is kept.
 */
export class BlobIndex {
  #table: IdTable = createIdTable(8192, indexExtraWords)
  #count = 0
  #rawBytes = 0
  #packedBytes = 0
  readonly #packs: Id[] = []
  readonly #packNumbers = new Map<Id, number>()

  /** The table as of now; it stays valid as it is when the index grows into a new one. */
  get table(): IdTable {
    return this.#table
  }

  get blobCount(): number {
    return this.#count
  }

  /** Plain bytes of all blobs. */
  get rawBytes(): number {
    return this.#rawBytes
  }

  /** Sealed bytes of all blobs. */
  get packedBytes(): number {
    return this.#packedBytes
  }

  get packIds(): readonly Id[] {
    return this.#packs
  }

  hasPack(id: Id): boolean {
    return this.#packNumbers.has(id)
  }

  /**
   * Room for so many more. To be called at once for many: tables that were grown out of lie in memory until V8 collects them, and it does not count
   * shared memory.
   */
  reserve(more: number): void {
    const slots = this.#table.mask + 1
    const wanted = (this.#count + more) / fullest
    if (wanted <= slots) return
    const old = this.#table
    this.#table = createIdTable(wanted, indexExtraWords)
    const { words, stride, mask } = old
    for (let at = 0; at <= mask * stride; at += stride) {
      if (words[at] === 0) continue
      insertId(this.#table, words.subarray(at + 1, at + slotHeadWords), words.subarray(at + slotHeadWords, at + stride))
    }
  }

  addPack(pack: ListedPack): void {
    if (this.#packNumbers.has(pack.id)) return
    const number = this.#packs.push(pack.id) - 1
    this.#packNumbers.set(pack.id, number)
    this.reserve(blobCountOf(pack))
    for (const blob of blobsOf(pack)) this.#insert(blob, number)
  }

  find(type: BlobType, id: Id): BlobLocation | undefined {
    const at = this.#addressOf(type, id)
    return at < 0 ? undefined : this.#locationAt(at)
  }

  /** Slots are numbered 0 to `slotCount` − 1 until the index grows. */
  get slotCount(): number {
    return this.#table.mask + 1
  }

  /** −1 for a blob that is in no pack. */
  slotOf(type: BlobType, id: Id): number {
    const at = this.#addressOf(type, id)
    return at < 0 ? -1 : at / this.#table.stride
  }

  #addressOf(type: BlobType, id: Id): number {
    return findId(this.#table, idKey(Buffer.from(id, 'hex'), type === 'tree'))
  }

  #locationAt(at: number): BlobLocation {
    const word = (i: number): number => (this.#table.words[at + slotHeadWords + i] ?? 0) >>> 0
    const pack = this.#packs[word(0)] ?? ''
    const plain = word(3)
    return { pack, offset: word(1), length: word(2), ...(plain > 0 ? { uncompressedLength: plain } : {}) }
  }

  #insert(blob: PackedBlob, pack: number): void {
    const key = idKey(Buffer.from(blob.id, 'hex'), blob.type === 'tree')
    const extra = [pack, blob.offset, blob.length, blob.uncompressedLength ?? 0]
    if (!insertId(this.#table, key, extra).added) return
    this.#count++
    this.#rawBytes += rawLength(blob)
    this.#packedBytes += blob.length
  }
}
