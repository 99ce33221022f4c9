import { storeError } from '../errors.ts'
import type { ObjectInfo } from '../object-store.ts'

/** What we ask of the metadata of an object. */
export const objectFields = 'name,size,generation,updated,md5Hash,retentionExpirationTime'

/** An object of the JSON API. Its generation, which changes with every write, is our etag. */
export function infoOfResource(resource: Readonly<Record<string, unknown>>): ObjectInfo {
  const { name, size, generation, updated } = resource
  if (typeof name !== 'string' || typeof size !== 'string') {
    throw storeError('STORE_UNAVAILABLE', 'the store answered without the name and the size of an object')
  }
  return {
    key: name,
    sizeBytes: Number(size),
    ...(typeof generation === 'string' ? { etag: generation } : {}),
    ...(typeof updated === 'string' ? { modified: Date.parse(updated) } : {}),
  }
}
