import { createHash, randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { deleteInTurn } from '../../src/store/delete-in-turn.ts'
import { storeError } from '../../src/store/errors.ts'
import type {
  CallOptions,
  GetOptions,
  GetStreamOptions,
  ObjectInfo,
  ObjectStore,
  PutOptions,
  PutResult,
  PutStreamOptions,
} from '../../src/store/object-store.ts'

/** A folder as a store, laid out as restic's local backend does, so that the real restic can open what tests write there. */
export class FolderStore implements ObjectStore {
  readonly description: string
  readonly #folder: string
  readonly #sync: boolean

  constructor(folder: string, options: { readonly sync?: boolean } = {}) {
    this.#folder = folder
    this.#sync = options.sync ?? false
    this.description = `folder ${folder}`
  }

  async put(key: string, body: Uint8Array, options: PutOptions = {}): Promise<PutResult> {
    return this.#publish(key, options, async (file) => {
      await file.writeFile(body, options.signal ? { signal: options.signal } : {})
      return body.length
    })
  }

  async putStream(key: string, body: AsyncIterable<Uint8Array>, options: PutStreamOptions = {}): Promise<PutResult> {
    return this.#publish(key, options, async (file) => {
      let sizeBytes = 0
      for await (const chunk of body) {
        options.signal?.throwIfAborted()
        await file.writeFile(chunk)
        sizeBytes += chunk.length
        options.onProgress?.(sizeBytes)
      }
      return sizeBytes
    })
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    const { offset = 0, limitBytes = 64 << 20 } = options
    const file = await this.#open(key, options)
    try {
      const { size } = await file.stat()
      const length = Math.max(0, Math.min(options.length ?? size, size - offset))
      if (length > limitBytes)
        throw storeError('STORE_TOO_LARGE', `object "${key}" has ${length} bytes, more than ${limitBytes}`)
      const bytes = Buffer.allocUnsafe(length)
      await file.read(bytes, 0, length, offset)
      return bytes
    } finally {
      await file.close()
    }
  }

  async *getStream(key: string, options: GetStreamOptions = {}): AsyncGenerator<Uint8Array> {
    yield await this.get(key, { ...options, limitBytes: Infinity })
  }

  async head(key: string, options: CallOptions = {}): Promise<ObjectInfo | undefined> {
    options.signal?.throwIfAborted()
    const found = await orUndefined(stat(this.#path(key)))
    return found && { key, sizeBytes: found.size, modified: found.mtimeMs }
  }

  async *list(prefix: string, options: CallOptions = {}): AsyncGenerator<ObjectInfo> {
    const folder = prefix.includes('/') ? prefix.slice(0, prefix.lastIndexOf('/')) : ''
    const entries = (await orUndefined(readdir(this.#path(folder), { recursive: true, withFileTypes: true }))) ?? []
    const keys = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(this.#folder.length + 1))
    for (const key of keys.toSorted()) {
      if (!key.startsWith(prefix)) continue
      const info = await this.head(key, options)
      if (info) yield info
    }
  }

  async delete(key: string, options: CallOptions = {}): Promise<void> {
    options.signal?.throwIfAborted()
    await rm(this.#path(key), { force: true })
  }

  async deleteMany(keys: AsyncIterable<string> | Iterable<string>, options: CallOptions = {}): Promise<number> {
    return deleteInTurn(keys, (key) => this.delete(key, options))
  }

  #path(key: string): string {
    return join(this.#folder, key)
  }

  async #open(key: string, options: CallOptions): Promise<FileHandle> {
    options.signal?.throwIfAborted()
    try {
      return await open(this.#path(key))
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
      throw storeError('STORE_NOT_FOUND', `object "${key}" is not in ${this.description}`, { cause })
    }
  }

  async #publish(key: string, options: PutOptions, write: (file: FileHandle) => Promise<number>): Promise<PutResult> {
    const path = this.#path(key)
    if (options.ifAbsent && (await this.head(key)))
      throw storeError('STORE_EXISTS', `object "${key}" already exists in ${this.description}`)
    await mkdir(dirname(path), { recursive: true })
    const temporary = `${path}-tmp-${randomUUID()}`
    try {
      const file = await open(temporary, 'wx', 0o600)
      try {
        const sizeBytes = await write(file)
        if (this.#sync) await file.sync()
        options.signal?.throwIfAborted()
        await rename(temporary, path)
        return { sizeBytes, etag: createHash('md5').update(key).digest('hex') }
      } finally {
        await file.close()
      }
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  }
}

async function orUndefined<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
