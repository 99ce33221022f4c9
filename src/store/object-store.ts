/**
 * Bytes at a location: what every room may rely on, whatever the store is (S3, memory, a folder, GCS, Azure).
 * `test/conformance/object-store.ts` runs these promises against each implementation.
 *
 * - Keys are `/`-separated text of `key.ts`, without a leading `/`; a store never sees an empty key (STORE_BAD_KEY).
 * - A key and keys below it (`a` and `a/b`) should not both be used: stores on file systems cannot hold both.
 * - `put` and `putStream` publish atomically: a reader sees the whole new object or the old state, never a part.
 * - Read-after-write: after a put resolved, get, head and list show it.
 * - `delete` is idempotent: an absent key is success. Of a store with `retentionMs`, what is locked stays: STORE_LOCKED.
 * - A failure of the service is a HoldfastError of `errors.ts` (STORE_NOT_FOUND, STORE_DENIED, STORE_UNREACHABLE, …), never the
 *   library's own class. Credentials are in no message.
 * - Everything honours `signal`. A put has one moment of publishing (the single request, or the completion of an upload in
 *   parts): aborted before it, nothing is left, neither object nor open upload; aborted during it, the put gets a few seconds to
 *   learn how it ended and then either resolves (the object is there) or rejects. So an abort never removes an older object.
 */
export interface ObjectStore {
  /** For people: `s3://bucket/prefix at https://endpoint`. Holds no secret. */
  readonly description: string
  /** What is put is kept from being deleted for so long, unless the put says otherwise. Undefined: nothing is. */
  readonly retentionMs?: number
  /** The body may lie in shared memory. It is the caller's again, to be changed, when this resolves. */
  put(key: string, body: Uint8Array, options?: PutOptions): Promise<PutResult>
  /** Any length, known or not; memory is bounded by parts in flight, not by length. If `body` fails, nothing is published. Chunks are copied before the next is asked for. */
  putStream(key: string, body: AsyncIterable<Uint8Array>, options?: PutStreamOptions): Promise<PutResult>
  /** The whole object. For small things. STORE_NOT_FOUND when absent, STORE_TOO_LARGE above `limitBytes`. The bytes are the caller's alone. */
  get(key: string, options?: GetOptions): Promise<Uint8Array>
  /**
   * A range or the whole as a stream, resumed by ranges with if-match after a break; STORE_TRUNCATED if it ends short.
   * A range that begins at or behind the end is empty. Errors, STORE_NOT_FOUND too, come with the first read. Chunks belong to the reader.
   */
  getStream(key: string, options?: GetStreamOptions): AsyncIterable<Uint8Array>
  /** Undefined when absent. */
  head(key: string, options?: CallOptions): Promise<ObjectInfo | undefined>
  /** Every object whose key starts with `prefix` (plain text, not folders), in key order, page by page. */
  list(prefix: string, options?: CallOptions): AsyncIterable<ObjectInfo>
  delete(key: string, options?: CallOptions): Promise<void>
  /** Deletes many, in batches where the store can. Resolves when all are gone; else throws naming the first that stayed. */
  deleteMany(keys: AsyncIterable<string> | Iterable<string>, options?: CallOptions): Promise<number>
}

export interface CallOptions {
  readonly signal?: AbortSignal
}

export interface PutOptions extends CallOptions {
  /** Publish only if the key is absent (If-None-Match). STORE_EXISTS otherwise. Stores that cannot say so check before. */
  readonly ifAbsent?: boolean
  /** Hex SHA-256 of the body where the caller knows it already: signing then costs nothing. */
  readonly sha256?: string
  /** False: will be replaced or removed in the course of things, so no retention. @default true */
  readonly retain?: boolean
}

export interface PutStreamOptions extends CallOptions {
  /** The same bytes may have been sent before, by a process that was killed: parts of it that the store still has are not sent again. @default false */
  readonly resume?: boolean
  readonly onProgress?: (uploadedBytes: number) => void
}

export interface PutResult {
  readonly etag?: string
  readonly sizeBytes: number
}

export interface GetOptions extends CallOptions {
  /** @default 64 MiB */
  readonly limitBytes?: number
  readonly offset?: number
  readonly length?: number
}

export interface GetStreamOptions extends CallOptions {
  readonly offset?: number
  readonly length?: number
}

export interface ObjectInfo {
  readonly key: string
  readonly sizeBytes: number
  readonly etag?: string
  /** Epoch ms. */
  readonly modified?: number
  /** Epoch ms until which it cannot be deleted; only from `head`, and only of a store with `retentionMs`. */
  readonly lockedUntil?: number
}
