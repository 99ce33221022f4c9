import { collectBytes, defaultLimitBytes } from './collect-bytes.ts'
import { signalOf } from './call-options.ts'
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
import type { RemoveAbandonedOptions } from './location/opened-store.ts'
import { removeAbandonedUploads } from './s3/abandoned-uploads.ts'
import { Checksums } from './s3/checksums.ts'
import { S3Connection } from './s3/connection.ts'
import { deleteObject, deleteObjects } from './s3/delete-objects.ts'
import { downloadObject } from './s3/download.ts'
import { headObject } from './s3/head-object.ts'
import { listObjects } from './s3/list-objects.ts'
import { type PartPlan, equalParts, growingParts } from './part-plan.ts'
import { payloadOf } from './s3/payload.ts'
import { putObject } from './s3/put-object.ts'
import { RangeSockets } from './s3/range-sockets.ts'
import { tryReadObject } from './s3/read-object.ts'
import { UnlockedKeys, dayMs, refuseLocked } from './s3/retention.ts'
import type { S3Settings } from './s3/settings.ts'
import { uploadStream } from './s3/upload-stream.ts'

/** A bucket of an S3-compatible store. Opening does nothing yet: the first call connects. `close` gives its sockets back. */
export class S3Store implements ObjectStore, AsyncDisposable {
  readonly description: string
  readonly retentionMs?: number
  readonly #connection: S3Connection
  readonly #sockets: RangeSockets
  readonly #checksums: Checksums
  readonly #plan: PartPlan

  /** `plan` is for tests, which cannot send terabytes. */
  constructor(settings: S3Settings, plan: PartPlan = settings.equalParts ? equalParts : growingParts) {
    this.description = `s3://${settings.bucket}${settings.endpoint === undefined ? '' : ` at ${settings.endpoint}`}`
    this.#connection = new S3Connection(settings)
    this.#sockets = new RangeSockets(settings, this.#connection.timing)
    // A bucket with Object Lock wants a checksum with every put that locks.
    this.#checksums = new Checksums(settings.retention ? 'required' : (settings.checksums ?? 'auto'))
    if (settings.retention) this.retentionMs = settings.retention.days * dayMs
    this.#plan = plan
  }

  async put(key: string, body: Uint8Array, options: PutOptions = {}): Promise<PutResult> {
    checkKey(key)
    return putObject(this.#connection, this.#checksums, {
      key,
      payload: payloadOf(body, options.sha256),
      signal: signalOf(options),
      retain: options.retain ?? true,
      ...(options.ifAbsent ? { ifAbsent: true } : {}),
    })
  }

  async putStream(key: string, body: AsyncIterable<Uint8Array>, options: PutStreamOptions = {}): Promise<PutResult> {
    checkKey(key)
    return uploadStream(this.#connection, this.#checksums, {
      key,
      body,
      plan: this.#plan,
      resume: options.resume ?? false,
      signal: signalOf(options),
      onProgress: options.onProgress ?? (() => {}),
    })
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    checkKey(key)
    options.signal?.throwIfAborted()
    const bounded = { ...options, limitBytes: options.limitBytes ?? defaultLimitBytes }
    return (await tryReadObject(this.#connection, this.#sockets, key, bounded)) ?? collectBytes(this, key, bounded)
  }

  async *getStream(key: string, options: GetStreamOptions = {}): AsyncGenerator<Uint8Array> {
    checkKey(key)
    options.signal?.throwIfAborted()
    yield* downloadObject(this.#connection, key, options)
  }

  async head(key: string, options: CallOptions = {}): Promise<ObjectInfo | undefined> {
    checkKey(key)
    return headObject(this.#connection, key, options)
  }

  list(prefix: string, options: CallOptions = {}): AsyncGenerator<ObjectInfo> {
    return listObjects(this.#connection, prefix, options)
  }

  async delete(key: string, options: CallOptions = {}): Promise<void> {
    checkKey(key)
    if (this.retentionMs !== undefined) await refuseLocked(this.#connection, key, options)
    await deleteObject(this.#connection, key, options)
  }

  async deleteMany(keys: AsyncIterable<string> | Iterable<string>, options: CallOptions = {}): Promise<number> {
    if (this.retentionMs === undefined) return deleteObjects(this.#connection, keys, options)
    const unlocked = new UnlockedKeys(this.#connection)
    const deleted = await deleteObjects(this.#connection, unlocked.of(keys, options), options)
    unlocked.throwIfOthers()
    return deleted
  }

  /** Aborts uploads in parts that nobody has fed since `before`. Gives their number. */
  async removeAbandoned(before: number, { prefix = '', ...options }: RemoveAbandonedOptions = {}): Promise<number> {
    const search = { before, prefix, signal: signalOf(options) }
    return (await removeAbandonedUploads(this.#connection, search)).length
  }

  async close(): Promise<void> {
    this.#sockets.close()
    await this.#connection.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
