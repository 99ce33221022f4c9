import { createHash } from 'node:crypto'
import { storeError } from './errors.ts'
import { type Manifest, besideMark, findManifest, manifestKey, writeManifest } from './manifest.ts'
import type { CallOptions, ObjectStore, PutStreamOptions } from './object-store.ts'

/** As much of an object is held back until its hash is known, so that no consumer ever takes a wrong one for whole. */
const heldBackBytes = 64 * 1024

/**
 * Writes a raw stream as one object, then its manifest. A stream that fails leaves no object. Until the manifest is there the push has not
 * succeeded, and a pull of the new object beside an older manifest is refused.
 */
export async function pushObject(
  store: ObjectStore,
  key: string,
  body: AsyncIterable<Uint8Array>,
  options: PutStreamOptions = {},
): Promise<Manifest> {
  const meter = new Meter()
  const { sizeBytes } = await store.putStream(key, meter.measure(body), options)
  if (sizeBytes !== meter.sizeBytes) {
    const text = `object "${key}" in ${store.description} took ${sizeBytes} of ${meter.sizeBytes} bytes`
    throw storeError('STORE_TRUNCATED', text)
  }
  const manifest = meter.result()
  await writeManifest(store, key, manifest, options.signal ? { signal: options.signal } : {})
  return manifest
}

/**
 * Reads an object written by `pushObject`, or by any other tool. With a manifest, a wrong length is refused before the first byte, and
 * altered bytes before the last 64 KiB: the stream then fails instead of ending. Without one, only the length the store tells is checked.
 */
export async function* pullObject(store: ObjectStore, key: string, options: CallOptions = {}): AsyncGenerator<Uint8Array> {
  const manifest = await findManifest(store, key, options)
  if (manifest === undefined) {
    yield* store.getStream(key, options)
    return
  }
  const found = await store.head(key, options)
  if (found === undefined)
    throw storeError('STORE_NOT_FOUND', `object "${key}" is not in ${store.description}, only its manifest`)
  if (found.sizeBytes !== manifest.sizeBytes)
    throw notAsPushed(store, key, `has ${found.sizeBytes} bytes, not ${manifest.sizeBytes}`)
  yield* verified(store, key, manifest, options)
}

async function* verified(
  store: ObjectStore,
  key: string,
  manifest: Manifest,
  options: CallOptions,
): AsyncGenerator<Uint8Array> {
  const meter = new Meter()
  const held: Buffer[] = []
  const holdFrom = manifest.sizeBytes - heldBackBytes
  for await (const chunk of meter.measure(store.getStream(key, options))) {
    const free = Math.max(0, holdFrom - (meter.sizeBytes - chunk.length))
    if (free > 0) yield chunk.subarray(0, free)
    // Copied, since the source may use its memory again.
    if (free < chunk.length) held.push(Buffer.from(chunk.subarray(free)))
    if (meter.sizeBytes > manifest.sizeBytes) break
  }
  const { sizeBytes, sha256 } = meter.result()
  if (sizeBytes !== manifest.sizeBytes) throw notAsPushed(store, key, `gave ${sizeBytes} bytes, not ${manifest.sizeBytes}`)
  if (sha256 !== manifest.sha256) throw notAsPushed(store, key, `has SHA-256 ${sha256}, not ${manifest.sha256}`)
  yield* held
}

function notAsPushed(store: ObjectStore, key: string, fact: string): unknown {
  const text = `object "${key}" in ${store.description} ${fact} as when it was pushed: it was truncated, altered or replaced`
  const wayOut = `restore an older version or another backup; if another tool wrote it anew on purpose, delete "${manifestKey(key)}"`
  return storeError('STORE_ALTERED', `${text}; ${wayOut}`)
}

/**
 * Removes the object, what belongs to it (manifest, left sections) and everything below `<key>/`; never a neighbour whose name only begins
 * alike. Absent is success. Gives the number of objects removed.
 */
export async function deleteObjectTree(store: ObjectStore, key: string, options: CallOptions = {}): Promise<number> {
  return store.deleteMany(treeOf(store, key, options), options)
}

async function* treeOf(store: ObjectStore, key: string, options: CallOptions): AsyncGenerator<string> {
  const found = await store.head(key, options)
  if (found) yield key
  for (const start of [`${key}${besideMark}`, `${key}/`]) {
    for await (const info of store.list(start, options)) yield info.key
  }
}

class Meter {
  sizeBytes = 0
  readonly #hash = createHash('sha256')

  async *measure(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      this.#hash.update(chunk)
      this.sizeBytes += chunk.length
      yield chunk
    }
  }

  result(): Manifest {
    return { sizeBytes: this.sizeBytes, sha256: this.#hash.digest('hex') }
  }
}
