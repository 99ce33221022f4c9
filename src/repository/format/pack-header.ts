import { repositoryError } from '../errors.ts'
import { type Id, idBytes } from './ids.ts'
import { sealOverhead } from './seal.ts'

export type BlobType = 'data' | 'tree'

/** One blob of a pack: where it lies there and how long it is. */
export interface PackedBlob {
  readonly id: Id
  readonly type: BlobType
  /** Of the sealed blob, from the start of the pack. */
  readonly offset: number
  /** Sealed bytes. */
  readonly length: number
  /** Plain bytes of a compressed blob; undefined where the blob is not compressed (then length − 32). */
  readonly uncompressedLength?: number | undefined
}

/** Bytes of an entry with and without the plain length. */
const plainEntryBytes = 5 + idBytes
export const compressedEntryBytes = 9 + idBytes
/** At the end of the pack, after the header: its sealed length. */
export const headerLengthBytes = 4
export const maxHeaderBytes = 16 << 20

export function rawLength(blob: { readonly length: number; readonly uncompressedLength?: number | undefined }): number {
  return blob.uncompressedLength ?? blob.length - sealOverhead
}

export function entryBytes(compressed: boolean): number {
  return compressed ? compressedEntryBytes : plainEntryBytes
}

/** Writes the header entry of a blob and says where the next one goes; offsets are not written, they follow from the lengths. */
export function writeEntry(
  header: Buffer,
  at: number,
  blob: {
    readonly id: Uint8Array
    readonly type: BlobType
    readonly length: number
    readonly uncompressedLength?: number | undefined
  },
): number {
  const compressed = blob.uncompressedLength !== undefined
  header[at] = (blob.type === 'tree' ? 1 : 0) | (compressed ? 2 : 0)
  header.writeUInt32LE(blob.length, at + 1)
  if (blob.uncompressedLength !== undefined) header.writeUInt32LE(blob.uncompressedLength, at + 5)
  header.set(blob.id, at + (compressed ? 9 : 5))
  return at + entryBytes(compressed)
}

/** How many blobs a plain header lists that was made here. */
export function countEntries(header: Uint8Array): number {
  let count = 0
  for (let at = 0; at < header.length; count++) at += entryBytes(((header[at] ?? 0) & 2) !== 0)
  return count
}

export function parseHeader(header: Uint8Array, what: string): PackedBlob[] {
  return [...readEntries(header, what)]
}

export function* readEntries(header: Uint8Array, what: string): Generator<PackedBlob> {
  const bytes = Buffer.from(header.buffer, header.byteOffset, header.length)
  let offset = 0
  for (let at = 0; at < bytes.length;) {
    const kind = bytes[at] ?? 0
    const size = entryBytes((kind & 2) !== 0)
    if (kind > 3 || at + size > bytes.length)
      throw repositoryError('REPOSITORY_DAMAGED', `${what}: header entry at ${at} is malformed`)
    const length = bytes.readUInt32LE(at + 1)
    const id = bytes.toString('hex', at + size - idBytes, at + size)
    const type = (kind & 1) !== 0 ? 'tree' : 'data'
    if (length < sealOverhead) throw repositoryError('REPOSITORY_DAMAGED', `${what}: blob ${id} is shorter than a seal`)
    yield { id, type, offset, length, ...(kind & 2 ? { uncompressedLength: bytes.readUInt32LE(at + 5) } : {}) }
    offset += length
    at += size
  }
}

/** The size of a pack that holds exactly these blobs. Any other size means damage. */
export function packSize(blobs: Iterable<PackedBlob>): number {
  let size = headerLengthBytes + sealOverhead
  for (const blob of blobs) size += blob.length + entryBytes(blob.uncompressedLength !== undefined)
  return size
}
