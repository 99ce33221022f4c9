import { type Hash, createHash } from 'node:crypto'
import { type BlobType, compressedEntryBytes, headerLengthBytes, writeEntry } from '../format/pack-header.ts'
import { type Id } from '../format/ids.ts'
import { maxChunkBytes } from '../kernel/chunker.ts'
import type { SealedParts, Sealer } from '../format/seal.ts'

/** Of a header's memory, a hundred entries; it doubles as they come. */
const firstHeaderBytes = 4096
/** A pack is closed when its blobs and their entries reach this. Blobs alone do not count: a million tiny ones would make a header of more than the 16 MiB that restic reads. */
const packTargetBytes = 16 << 20
/** One with as much is closed rather than made longer than the target: its buffer is used again and again, and what was once touched stays in memory. */
const packEnoughBytes = 12 << 20
/** Room for every pack of chunks: the last may be one of the longest, and sealing adds little. What is not written to takes no memory. */
export const dataPackBytes = packTargetBytes + maxChunkBytes + (1 << 20)

export interface BuiltPack {
  readonly id: Id
  readonly type: BlobType
  /** Shared; where one blob is longer than a pack, the thread's own, to be given away. */
  readonly buffer: ArrayBufferLike
  readonly sizeBytes: number
  readonly header: Buffer
}

/**
 * A pack as it fills. Its hash runs along while the bytes are in the cache, so that the finished pack is not read again. The buffer
 * given is used as it is and replaced by a longer one only if a blob does not fit.
 */
export class PackBuilder {
  readonly type: BlobType
  #bytes: Uint8Array
  #used = 0
  /** In one piece: entries of their own kept pieces of Node's pool alive, 15 MiB for small files. */
  #header = Buffer.allocUnsafeSlow(firstHeaderBytes)
  #headerBytes = 0
  readonly #hash: Hash = createHash('sha256')

  constructor(type: BlobType, buffer: ArrayBufferLike) {
    this.type = type
    this.#bytes = new Uint8Array(buffer)
  }

  get isFull(): boolean {
    return this.#size >= packTargetBytes
  }

  hasRoomFor(sealedBytes: number): boolean {
    return this.#size < packEnoughBytes || this.#size + sealedBytes <= packTargetBytes
  }

  /** Whether both make one pack. */
  canAbsorb(other: PackBuilder): boolean {
    return this.#size + other.#size <= packTargetBytes
  }

  /** Sealed length of what was added. */
  append(id: Uint8Array, { nonce, ciphertext, tag }: SealedParts, uncompressedLength: number | undefined): number {
    const length = nonce.length + ciphertext.length + tag.length
    this.#reserveHeader(compressedEntryBytes)
    this.#headerBytes = writeEntry(this.#header, this.#headerBytes, { id, type: this.type, length, uncompressedLength })
    this.#reserve(length)
    this.#add(nonce)
    this.#add(ciphertext)
    this.#add(tag)
    return length
  }

  /** Takes over everything in another pack of the type, sealed as it is. The other one is then of no use. */
  absorb(other: PackBuilder): void {
    this.#reserve(other.#used)
    this.#add(other.#bytes.subarray(0, other.#used))
    this.#reserveHeader(other.#headerBytes)
    this.#header.set(other.#headerUsed, this.#headerBytes)
    this.#headerBytes += other.#headerBytes
  }

  build(sealer: Sealer): BuiltPack {
    const header = this.#headerUsed
    const sealed = sealer.seal(header)
    const length = Buffer.alloc(headerLengthBytes)
    length.writeUInt32LE(sealed.length)
    this.#reserve(sealed.length + length.length)
    this.#add(sealed)
    this.#add(length)
    return { id: this.#hash.digest('hex'), type: this.type, buffer: this.#bytes.buffer, sizeBytes: this.#used, header }
  }

  get #size(): number {
    return this.#used + this.#headerBytes
  }

  get #headerUsed(): Buffer {
    return this.#header.subarray(0, this.#headerBytes)
  }

  #add(part: Uint8Array): void {
    this.#bytes.set(part, this.#used)
    this.#used += part.length
    this.#hash.update(part)
  }

  #reserveHeader(more: number): void {
    if (this.#headerBytes + more <= this.#header.length) return
    const longer = Buffer.allocUnsafeSlow(Math.max(this.#headerBytes + more, this.#header.length * 2))
    longer.set(this.#headerUsed)
    this.#header = longer
  }

  #reserve(more: number): void {
    const needed = this.#used + more
    if (needed <= this.#bytes.length) return
    const longer = new Uint8Array(needed + 65_536)
    longer.set(this.#bytes.subarray(0, this.#used))
    this.#bytes = longer
  }
}
