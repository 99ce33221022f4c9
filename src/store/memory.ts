import { createHash } from 'node:crypto'
import { type Clock, systemClock } from '../base/clock.ts'
import { deleteInTurn } from './delete-in-turn.ts'
import { storeError } from './errors.ts'
import { checkKey } from './key.ts'
import type {
  CallOptions,
  GetOptions,
  GetStreamOptions,
  ObjectInfo,
  ObjectStore,
  PutOptions,
  PutResult,
  PutStreamOptions,
} from './object-store.ts'

interface Stored {
  readonly bytes: Buffer
  readonly info: ObjectInfo
}

const defaultLimitBytes = 64 * 1024 * 1024
const chunkBytes = 64 * 1024

/** A store in this process: for tests and dry runs. Keeps the whole contract. */
export class MemoryStore implements ObjectStore {
  readonly description: string
  readonly #objects = new Map<string, Stored>()
  readonly #clock: Clock

  constructor(options: { readonly name?: string; readonly clock?: Clock } = {}) {
    this.description = `memory:${options.name ?? 'store'}`
    this.#clock = options.clock ?? systemClock
  }

  async put(key: string, body: Uint8Array, options: PutOptions = {}): Promise<PutResult> {
    checkKey(key)
    options.signal?.throwIfAborted()
    if (options.ifAbsent && this.#objects.has(key)) {
      throw storeError('STORE_EXISTS', `object "${key}" already exists in ${this.description}`)
    }
    const bytes = Buffer.from(body)
    const etag = `"${createHash('md5').update(bytes).digest('hex')}"`
    const info = { key, sizeBytes: bytes.length, etag, modified: this.#clock.now() }
    this.#objects.set(key, { bytes, info })
    return { etag, sizeBytes: bytes.length }
  }

  async putStream(key: string, body: AsyncIterable<Uint8Array>, options: PutStreamOptions = {}): Promise<PutResult> {
    checkKey(key)
    options.signal?.throwIfAborted()
    const chunks: Buffer[] = []
    let sizeBytes = 0
    for await (const chunk of body) {
      options.signal?.throwIfAborted()
      chunks.push(Buffer.from(chunk))
      sizeBytes += chunk.length
      options.onProgress?.(sizeBytes)
    }
    return this.put(key, Buffer.concat(chunks), options.signal ? { signal: options.signal } : {})
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    options.signal?.throwIfAborted()
    const range = rangeOf(this.#find(key).bytes, options)
    const { limitBytes = defaultLimitBytes } = options
    if (range.length > limitBytes) {
      throw storeError(
        'STORE_TOO_LARGE',
        `object "${key}" in ${this.description} has ${range.length} bytes, more than ${limitBytes}`,
      )
    }
    return Buffer.from(range)
  }

  async *getStream(key: string, options: GetStreamOptions = {}): AsyncGenerator<Uint8Array> {
    options.signal?.throwIfAborted()
    const range = rangeOf(this.#find(key).bytes, options)
    for (let at = 0; at < range.length; at += chunkBytes) {
      options.signal?.throwIfAborted()
      yield Buffer.from(range.subarray(at, at + chunkBytes))
    }
  }

  async head(key: string, options: CallOptions = {}): Promise<ObjectInfo | undefined> {
    checkKey(key)
    options.signal?.throwIfAborted()
    return this.#objects.get(key)?.info
  }

  async *list(prefix: string, options: CallOptions = {}): AsyncGenerator<ObjectInfo> {
    const keys = [...this.#objects.keys()].filter((key) => key.startsWith(prefix))
    keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    for (const key of keys) {
      options.signal?.throwIfAborted()
      const stored = this.#objects.get(key)
      if (stored) yield stored.info
    }
  }

  async delete(key: string, options: CallOptions = {}): Promise<void> {
    checkKey(key)
    options.signal?.throwIfAborted()
    this.#objects.delete(key)
  }

  async deleteMany(keys: AsyncIterable<string> | Iterable<string>, options: CallOptions = {}): Promise<number> {
    return deleteInTurn(keys, (key) => this.delete(key, options))
  }

  #find(key: string): Stored {
    checkKey(key)
    const stored = this.#objects.get(key)
    if (!stored) throw storeError('STORE_NOT_FOUND', `object "${key}" is not in ${this.description}`)
    return stored
  }
}

function rangeOf(bytes: Buffer, { offset = 0, length }: GetStreamOptions): Buffer {
  return bytes.subarray(offset, length === undefined ? bytes.length : offset + length)
}
