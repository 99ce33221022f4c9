import { signalOf } from './call-options.ts'
import { collectBytes } from './collect-bytes.ts'
import { deleteSingly } from './delete-singly.ts'
import { GcsConnection } from './gcs/connection.ts'
import { downloadGcsObject } from './gcs/download.ts'
import { infoOfResource, objectFields } from './gcs/object-resource.ts'
import { putGcsObject } from './gcs/put-object.ts'
import type { GcsSettings } from './gcs/settings.ts'
import { uploadGcsStream } from './gcs/upload-stream.ts'
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

/** A bucket of Google Cloud Storage. Opening does nothing yet: the first call connects. `close` gives its sockets back. */
export class GcsStore implements ObjectStore, AsyncDisposable {
  readonly description: string
  readonly #connection: GcsConnection

  constructor(settings: GcsSettings) {
    this.description = `gs://${settings.bucket}${settings.endpoint === undefined ? '' : ` at ${settings.endpoint}`}`
    this.#connection = new GcsConnection(settings)
  }

  async put(key: string, body: Uint8Array, options: PutOptions = {}): Promise<PutResult> {
    checkKey(key)
    const { ifAbsent = false } = options
    return putGcsObject(this.#connection, { key, bytes: body, ifAbsent, signal: signalOf(options) })
  }

  async putStream(key: string, body: AsyncIterable<Uint8Array>, options: PutStreamOptions = {}): Promise<PutResult> {
    checkKey(key)
    const { onProgress = () => {} } = options
    return uploadGcsStream(this.#connection, { key, body, onProgress, signal: signalOf(options) })
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    return collectBytes(this, key, options)
  }

  async *getStream(key: string, options: GetStreamOptions = {}): AsyncGenerator<Uint8Array> {
    checkKey(key)
    options.signal?.throwIfAborted()
    yield* downloadGcsObject(this.#connection, key, options)
  }

  async head(key: string, options: CallOptions = {}): Promise<ObjectInfo | undefined> {
    checkKey(key)
    const call = { method: 'GET', path: this.#connection.pathOf(key), query: { fields: objectFields } }
    const found = await orAbsent(this.#send(`check of object "${key}"`, call, options))
    return found && infoOfResource(found.json)
  }

  async *list(prefix: string, options: CallOptions = {}): AsyncGenerator<ObjectInfo> {
    let pageToken: string | undefined
    do {
      const query = { prefix, pageToken, maxResults: '1000', fields: `items(${objectFields}),nextPageToken` }
      const call = { method: 'GET', path: this.#connection.pathOf(), query }
      const { json } = await this.#send(`list of "${prefix}"`, call, options)
      const { items, nextPageToken } = json
      for (const item of Array.isArray(items) ? items : []) yield infoOfResource(item as Record<string, unknown>)
      pageToken = typeof nextPageToken === 'string' && nextPageToken !== '' ? nextPageToken : undefined
    } while (pageToken !== undefined)
  }

  async delete(key: string, options: CallOptions = {}): Promise<void> {
    checkKey(key)
    await orAbsent(this.#send(`delete of object "${key}"`, { method: 'DELETE', path: this.#connection.pathOf(key) }, options))
  }

  async deleteMany(keys: AsyncIterable<string> | Iterable<string>, options: CallOptions = {}): Promise<number> {
    return deleteSingly(keys, options, (key, signal) => this.delete(key, { signal }))
  }

  async close(): Promise<void> {
    this.#connection.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #send(what: string, call: Parameters<GcsConnection['call']>[0], { signal }: CallOptions) {
    signal?.throwIfAborted()
    return this.#connection.requests.send(what, (each) => this.#connection.call(call, each), { signal })
  }
}
