import { storeError } from './errors.ts'
import type { CallOptions, ObjectStore } from './object-store.ts'

/**
 * What is known of a plain object, kept beside it as `<key>.holdfast-manifest.json`. Readers that know nothing of it do not see it, and
 * Kanister's delete, which goes by the beginning of the key, takes it along.
 */
export interface Manifest {
  readonly sizeBytes: number
  /** Hex SHA-256 of the whole object. */
  readonly sha256: string
}

const format = 'holdfast.dev/object-manifest'
const version = 1
const largestBytes = 64 * 1024

/** Everything that stands beside an object and belongs to it begins with its key and this. */
export const besideMark = '.holdfast-'

export function manifestKey(key: string): string {
  return `${key}${besideMark}manifest.json`
}

export async function writeManifest(
  store: ObjectStore,
  key: string,
  manifest: Manifest,
  options: CallOptions = {},
): Promise<void> {
  const { sizeBytes, sha256 } = manifest
  await store.put(manifestKey(key), Buffer.from(`${JSON.stringify({ format, version, sizeBytes, sha256 })}\n`), options)
}

/** Undefined when there is none: the object was written by another tool. One that cannot be read is an error, not none. */
export async function findManifest(store: ObjectStore, key: string, options: CallOptions = {}): Promise<Manifest | undefined> {
  let bytes: Uint8Array
  try {
    bytes = await store.get(manifestKey(key), { ...options, limitBytes: largestBytes })
  } catch (error) {
    if (storeError.is(error, 'STORE_NOT_FOUND')) return undefined
    // AWS says 403 for what is absent to users who may not list. If the object is denied as well, reading it says so.
    if (storeError.is(error, 'STORE_DENIED')) return undefined
    throw error
  }
  return parseManifest(Buffer.from(bytes).toString(), `object "${manifestKey(key)}" in ${store.description}`)
}

function parseManifest(text: string, where: string): Manifest {
  const value = parseObject(text)
  const { sizeBytes, sha256 } = value
  if (value['format'] === format && typeof value['version'] === 'number' && value['version'] > version) {
    throw storeError('STORE_REFUSED', `${where} was written by a newer engine (version ${value['version']}): use that one`)
  }
  const good =
    value['format'] === format && typeof sizeBytes === 'number' && typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256)
  if (!good) throw storeError('STORE_CHECKSUM', `${where} is damaged: delete it to read the object without this check`)
  return { sizeBytes, sha256 }
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    // Any object's fields can be read as unknown.
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    // Judged by the caller, like any other text that is no manifest.
    return {}
  }
}
