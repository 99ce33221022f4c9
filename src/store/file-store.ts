import { lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { deleteInTurn } from './delete-in-turn.ts'
import { infoOf } from './file/file-info.ts'
import { StoreFolder, growingName } from './file/folder.ts'
import { listFiles } from './file/list-files.ts'
import { readFile } from './file/read-file.ts'
import { writeFile } from './file/write-file.ts'
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
import { collectBytes } from './collect-bytes.ts'

/** A folder of this machine as a store: a disk, NFS or any other volume that is mounted. An object is a file. */
export class FileStore implements ObjectStore, AsyncDisposable {
  readonly description: string
  readonly #folder: StoreFolder

  constructor(root: string, options: { readonly marked?: boolean } = {}) {
    this.#folder = new StoreFolder(root, options)
    this.description = this.#folder.description
  }

  async put(key: string, body: Uint8Array, options: PutOptions = {}): Promise<PutResult> {
    this.#folder.check(key)
    return this.#write(key, once(body), options)
  }

  async putStream(key: string, body: AsyncIterable<Uint8Array>, options: PutStreamOptions = {}): Promise<PutResult> {
    this.#folder.check(key)
    return this.#write(key, body, options)
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    return collectBytes(this, key, options)
  }

  async *getStream(key: string, options: GetStreamOptions = {}): AsyncGenerator<Uint8Array> {
    this.#folder.check(key)
    try {
      yield* readFile(this.#folder, key, options)
    } catch (error) {
      options.signal?.throwIfAborted()
      throw this.#folder.translate(error, `read of object "${key}"`)
    }
  }

  async head(key: string, options: CallOptions = {}): Promise<ObjectInfo | undefined> {
    this.#folder.check(key)
    options.signal?.throwIfAborted()
    try {
      const stats = await lstat(await this.#folder.fileOf(key), { bigint: true })
      return stats.isFile() ? infoOf(key, stats) : undefined
    } catch (error) {
      if (isAbsence(error)) return undefined
      throw this.#folder.translate(error, `check of object "${key}"`)
    }
  }

  async *list(prefix: string, options: CallOptions = {}): AsyncGenerator<ObjectInfo> {
    try {
      yield* listFiles(this.#folder, prefix, options)
    } catch (error) {
      options.signal?.throwIfAborted()
      throw this.#folder.translate(error, `list of "${prefix}"`)
    }
  }

  async delete(key: string, options: CallOptions = {}): Promise<void> {
    this.#folder.check(key)
    options.signal?.throwIfAborted()
    try {
      const file = await this.#folder.fileOf(key)
      await rm(file)
      await this.#folder.removeEmptyParents(file)
    } catch (error) {
      // A folder is no object.
      if (isAbsence(error) || (error as NodeJS.ErrnoException).code === 'ERR_FS_EISDIR') return
      throw this.#folder.translate(error, `delete of object "${key}"`)
    }
  }

  async deleteMany(keys: AsyncIterable<string> | Iterable<string>, options: CallOptions = {}): Promise<number> {
    return deleteInTurn(keys, (key) => this.delete(key, options))
  }

  /** Removes what killed processes left half written and nobody has written to since. Gives the number of files. */
  async removeAbandoned(before: number, options: CallOptions = {}): Promise<number> {
    const folder = join(await this.#folder.open(), growingName)
    let removed = 0
    for (const name of await namesIn(folder)) {
      options.signal?.throwIfAborted()
      const file = join(folder, name)
      const stats = await lstat(file).catch(() => undefined)
      if (stats === undefined || stats.mtimeMs >= before) continue
      await rm(file, { force: true })
      removed++
    }
    return removed
  }

  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  async #write(key: string, body: AsyncIterable<Uint8Array>, options: PutOptions & PutStreamOptions): Promise<PutResult> {
    const { signal = new AbortController().signal, ifAbsent = false, onProgress = () => {} } = options
    // An error of the stream comes out as it is, not as one of the file system.
    let ofStream: { readonly error: unknown } | undefined
    const watched = async function* (): AsyncGenerator<Uint8Array> {
      try {
        yield* body
      } catch (error) {
        ofStream = { error }
        throw error
      }
    }
    try {
      return await writeFile(this.#folder, { key, body: watched(), ifAbsent, signal, onProgress })
    } catch (error) {
      signal.throwIfAborted()
      if (ofStream) throw ofStream.error
      throw this.#folder.translate(error, `put of object "${key}"`)
    }
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

function isAbsence(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ENOTDIR'
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (isAbsence(error)) return []
    throw error
  }
}
