import { AzureConnection } from './azure/connection.ts'
import { downloadBlob } from './azure/download.ts'
import type { AzureSettings } from './azure/settings.ts'
import { putBlob, uploadBlob } from './azure/upload.ts'
import { signalOf } from './call-options.ts'
import { collectBytes } from './collect-bytes.ts'
import { deleteSingly } from './delete-singly.ts'
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
import { orAbsent } from './or-absent.ts'

const pageSize = 1000

/** A container of Azure Blob Storage. Opening does nothing yet: the first call connects. */
export class AzureStore implements ObjectStore, AsyncDisposable {
  readonly description: string
  readonly #connection: AzureConnection

  constructor(settings: AzureSettings) {
    this.description = `azure://${settings.container} at ${settings.endpoint}`
    this.#connection = new AzureConnection(settings)
  }

  async put(key: string, body: Uint8Array, options: PutOptions = {}): Promise<PutResult> {
    checkKey(key)
    const { ifAbsent = false } = options
    return putBlob(this.#connection, { key, bytes: body, ifAbsent, signal: signalOf(options) })
  }

  async putStream(key: string, body: AsyncIterable<Uint8Array>, options: PutStreamOptions = {}): Promise<PutResult> {
    checkKey(key)
    const { onProgress = () => {} } = options
    return uploadBlob(this.#connection, { key, body, onProgress, signal: signalOf(options) })
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    return collectBytes(this, key, options)
  }

  async *getStream(key: string, options: GetStreamOptions = {}): AsyncGenerator<Uint8Array> {
    checkKey(key)
    options.signal?.throwIfAborted()
    yield* downloadBlob(this.#connection, key, options)
  }

  async head(key: string, { signal }: CallOptions = {}): Promise<ObjectInfo | undefined> {
    checkKey(key)
    const found = await orAbsent(
      this.#connection.send(
        `check of object "${key}"`,
        (container, abortSignal) => container.getBlobClient(key).getProperties({ abortSignal }),
        { signal },
      ),
    )
    return found && infoOf(key, found)
  }

  async *list(prefix: string, { signal }: CallOptions = {}): AsyncGenerator<ObjectInfo> {
    let continuationToken: string | undefined
    do {
      const from = continuationToken
      const page = await this.#connection.send(
        `list of "${prefix}"`,
        async (container, abortSignal) => {
          const all = container.listBlobsFlat({ prefix, abortSignal })
          const pages = all.byPage({ maxPageSize: pageSize, ...(from === undefined ? {} : { continuationToken: from }) })
          const { value } = await pages.next()
          return value
        },
        { signal },
      )
      for (const { name, properties } of page?.segment.blobItems ?? []) yield infoOf(name, properties)
      continuationToken = page?.continuationToken === '' ? undefined : page?.continuationToken
    } while (continuationToken !== undefined)
  }

  async delete(key: string, { signal }: CallOptions = {}): Promise<void> {
    checkKey(key)
    await orAbsent(
      this.#connection.send(
        `delete of object "${key}"`,
        (container, abortSignal) => container.getBlobClient(key).delete({ deleteSnapshots: 'include', abortSignal }),
        { signal },
      ),
    )
  }

  async deleteMany(keys: AsyncIterable<string> | Iterable<string>, options: CallOptions = {}): Promise<number> {
    return deleteSingly(keys, options, (key, signal) => this.delete(key, { signal }))
  }

  /** The library's sockets end by themselves when nobody uses them. */
  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}

interface BlobFacts {
  readonly contentLength?: number
  readonly etag?: string
  readonly lastModified?: Date
}

function infoOf(key: string, { contentLength, etag, lastModified }: BlobFacts): ObjectInfo {
  return {
    key,
    sizeBytes: contentLength ?? 0,
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { modified: lastModified.getTime() }),
  }
}
