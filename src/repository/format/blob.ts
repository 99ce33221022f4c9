import { repositoryError } from '../errors.ts'
import { type Id, sha256Hex } from './ids.ts'
import { rawLength } from './pack-header.ts'
import { type Sealer, sealOverhead } from './seal.ts'
import { decompress, release } from './zstd.ts'

/** A sealed blob back to its raw bytes: tag, length and hash are checked on the way, so what is returned is what was backed up. */
export function openBlob(
  sealer: Sealer,
  sealed: Uint8Array,
  blob: { readonly id: Id; readonly length: number; readonly uncompressedLength?: number | undefined },
): Buffer {
  const what = `blob ${blob.id}`
  if (sealed.length !== blob.length || sealed.length < sealOverhead) {
    throw repositoryError('REPOSITORY_DAMAGED', `${what}: ${sealed.length} of its ${blob.length} bytes are there`)
  }
  const plain = sealer.open(sealed, what)
  const length = rawLength(blob)
  const raw = blob.uncompressedLength === undefined ? plain : decompress(plain, length, what, length)
  if (raw !== plain) release(plain)
  if (raw.length !== length)
    throw repositoryError('REPOSITORY_DAMAGED', `${what}: has ${raw.length} bytes instead of ${length}`)
  if (sha256Hex(raw) !== blob.id)
    throw repositoryError('REPOSITORY_DAMAGED', `${what}: its bytes do not have the hash that is its name`)
  return raw
}
