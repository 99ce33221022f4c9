import { type Hash, createHash } from 'node:crypto'
import { type BlobType, headerLengthBytes, renderEntry } from '../format/pack-header.ts'
import { type Id } from '../format/ids.ts'
import type { SealedParts, Sealer } from '../format/seal.ts'

/** A pack is closed when its blobs reach this. */
export const packTargetBytes = 16 << 20

export interface BuiltPack {
  readonly id: Id
  readonly type: BlobType
  readonly buffer: ArrayBuffer
  readonly sizeBytes: number
  readonly header: Buffer
}

/**
 * A pack as it fills. Its hash runs along while the bytes are in the cache, so that the finished pack is not read again. The buffer
 * given is used as it is and replaced by a longer one only if a blob does not fit.
 */
export class PackBuilder {
  readonly type: BlobType
  #bytes: Uint8Array<ArrayBuffer>
  #used = 0
  readonly #entries: Buffer[] = []
  readonly #lengths: number[] = []
  readonly #hash: Hash = createHash('sha256')

  constructor(type: BlobType, buffer: ArrayBuffer) {
    this.type = type
    this.#bytes = new Uint8Array(buffer)
  }

  get usedBytes(): number {
    return this.#used
  }

  /** Sealed length of what was added. */
  append(id: Uint8Array, { nonce, ciphertext, tag }: SealedParts, uncompressedLength: number | undefined): number {
    const length = nonce.length + ciphertext.length + tag.length
    this.#entries.push(renderEntry({ id, type: this.type, length, uncompressedLength }))
    this.#lengths.push(length)
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
    this.#entries.push(...other.#entries)
    this.#lengths.push(...other.#lengths)
  }

  build(sealer: Sealer): BuiltPack {
    const header = Buffer.concat(this.#entries)
    const sealed = sealer.seal(header)
    const length = Buffer.alloc(headerLengthBytes)
    length.writeUInt32LE(sealed.length)
    this.#reserve(sealed.length + length.length)
    this.#add(sealed)
    this.#add(length)
    return { id: this.#hash.digest('hex'), type: this.type, buffer: this.#bytes.buffer, sizeBytes: this.#used, header }
  }

  get buffer(): ArrayBuffer {
    return this.#bytes.buffer
  }

  #add(part: Uint8Array): void {
    this.#bytes.set(part, this.#used)
    this.#used += part.length
    this.#hash.update(part)
  }

  #reserve(more: number): void {
    const needed = this.#used + more
    if (needed <= this.#bytes.length) return
    const longer = new Uint8Array(Math.max(needed + 65_536, this.#bytes.length * 2))
    longer.set(this.#bytes.subarray(0, this.#used))
    this.#bytes = longer
  }
}
