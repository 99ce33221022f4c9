import { repositoryError } from '../errors.ts'
import { type Id, isId } from './ids.ts'
import { type PackedBlob, countEntries, packSize, readEntries } from './pack-header.ts'

/** A pack as an index lists it. */
export interface IndexedPack {
  readonly id: Id
  readonly blobs: readonly PackedBlob[]
}

/** A pack by its plain header: a fifth of the memory that its blobs take as objects. */
export interface HeaderedPack {
  readonly id: Id
  readonly header: Uint8Array
}

export type ListedPack = IndexedPack | HeaderedPack

/** Its blobs, one by one: with small files there are 10,000 in a pack. */
export function blobsOf(pack: ListedPack): Iterable<PackedBlob> {
  return 'blobs' in pack ? pack.blobs : readEntries(pack.header, `pack ${pack.id}`)
}

export function blobCountOf(pack: ListedPack): number {
  return 'blobs' in pack ? pack.blobs.length : countEntries(pack.header)
}

/** No text of one blob is longer, its comma with it, and none of a pack without its blobs, the ends of the whole with it. */
const longestBlobJson = 192
const longestPackJson = 128

/**
 * Written blob by blob into one buffer, as `goJson` would: no field needs escapes. Put together of objects, 50,000 blobs made V8's heap grow by 80 MiB, and
 * took five times as long.
 */
export function renderIndex(packs: ReadonlyArray<ListedPack>): Buffer {
  const room = packs.reduce((sum, pack) => sum + longestPackJson + blobCountOf(pack) * longestBlobJson, longestPackJson)
  const json = Buffer.allocUnsafeSlow(room)
  let at = json.write('{"packs":[', 0, 'latin1')
  for (const [number, pack] of packs.entries()) {
    at += json.write(`${number > 0 ? ',' : ''}{"id":"${pack.id}","blobs":[`, at, 'latin1')
    let comma = ''
    for (const blob of blobsOf(pack)) {
      at += json.write(comma + blobJson(blob), at, 'latin1')
      comma = ','
    }
    at += json.write(']}', at, 'latin1')
  }
  at += json.write(']}\n', at, 'latin1')
  return json.subarray(0, at)
}

function blobJson({ id, type, offset, length, uncompressedLength }: PackedBlob): string {
  const plain = uncompressedLength === undefined ? '' : `,"uncompressed_length":${uncompressedLength}`
  return `{"id":"${id}","type":"${type}","offset":${offset},"length":${length}${plain}}`
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
