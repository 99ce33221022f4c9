import { repositoryError } from '../errors.ts'
import { compress, decompress, release } from './zstd.ts'

const zstdEnvelope = 2
/** An index of 50,000 blobs is 10 MB; nothing well-formed comes near this. */
const limitBytes = 1 << 30

/** The text of an index, snapshot or lock as it goes into the seal (FORMAT.md 4): version 2 compresses it behind a 2. */
export function wrapEnvelope(json: Uint8Array, version: number): Buffer {
  if (version < 2) return Buffer.from(json)
  const compressed = compress(json)
  const wrapped = Buffer.concat([Buffer.of(zstdEnvelope), compressed])
  release(compressed)
  return wrapped
}

/** Takes bare JSON too, in either version: files from before an upgrade stay as they are. */
export function unwrapEnvelope(plain: Uint8Array, what: string): Buffer {
  const first = plain[0]
  if (first === 0x5b || first === 0x7b) return Buffer.from(plain.buffer, plain.byteOffset, plain.length)
  if (first !== zstdEnvelope) throw repositoryError('REPOSITORY_UNSUPPORTED', `${what}: envelope of kind ${first} is not known`)
  // JSON of ids gets three times as long; a good guess spares a copy of it all.
  return decompress(plain.subarray(1), limitBytes, what, plain.length * 4)
}
