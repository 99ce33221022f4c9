import { goJson } from '../../base/go-json.ts'
import { repositoryError } from '../errors.ts'
import { type Id, isId } from './ids.ts'
import { type PackedBlob, packSize } from './pack-header.ts'

/** A pack as an index lists it. */
export interface IndexedPack {
  readonly id: Id
  readonly blobs: readonly PackedBlob[]
}

export function renderIndex(packs: readonly IndexedPack[]): Buffer {
  const body = {
    packs: packs.map((pack) => ({
      id: pack.id,
      blobs: pack.blobs.map(({ id, type, offset, length, uncompressedLength }) => ({
        id,
        type,
        offset,
        length,
        uncompressed_length: uncompressedLength,
      })),
    })),
  }
  return Buffer.from(`${goJson(body)}\n`)
}

interface IndexJson {
  readonly packs?: ReadonlyArray<{
    readonly id: string
    readonly blobs?: ReadonlyArray<Omit<PackedBlob, 'uncompressedLength'> & { readonly uncompressed_length?: number }>
  }>
}

/** Every field is checked, since offsets and lengths go into requests. A list `supersedes` of old versions is ignored. */
export function parseIndex(json: Uint8Array, what: string): IndexedPack[] {
  const damaged = (fact: string): Error => repositoryError('REPOSITORY_DAMAGED', `${what}: ${fact}`)
  const { packs } = readJson(json, damaged)
  return (packs ?? []).map(({ id, blobs }) => {
    if (!isId(id)) throw damaged(`pack id ${String(id)} is not 64 hex digits`)
    const checked = (blobs ?? []).map((blob): PackedBlob => {
      const { id: blobId, type, offset, length, uncompressed_length: uncompressedLength } = blob
      const good = isId(blobId) && (type === 'data' || type === 'tree') && isUint32(offset) && isUint32(length) && length >= 32
      if (!good || (uncompressedLength !== undefined && !isUint32(uncompressedLength)))
        throw damaged(`an entry of pack ${id} is malformed`)
      // Go leaves a zero out; a zero-length blob is never compressed.
      return { id: blobId, type, offset, length, ...(uncompressedLength ? { uncompressedLength } : {}) }
    })
    return { id, blobs: checked }
  })
}

export function indexedPackSize(pack: IndexedPack): number {
  return packSize(pack.blobs)
}

function readJson(json: Uint8Array, damaged: (fact: string) => Error): IndexJson {
  try {
    // The shape is checked field by field by the caller.
    const value = JSON.parse(Buffer.from(json.buffer, json.byteOffset, json.length).toString()) as IndexJson | null
    if (
      typeof value === 'object' &&
      value !== null &&
      (value.packs === undefined || value.packs === null || Array.isArray(value.packs))
    )
      return value
  } catch {
    // Reported below with the name of the file.
  }
  throw damaged('not the JSON of an index')
}

function isUint32(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff
}
