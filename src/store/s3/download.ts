import type { Readable } from 'node:stream'
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3'
import { backoffMs } from '../../base/backoff.ts'
import { nextOf } from '../../base/errors.ts'
import { storeError } from '../errors.ts'
import type { GetStreamOptions } from '../object-store.ts'
import type { S3Connection } from './connection.ts'
import { cannotReach } from './translate-error.ts'

/** Where a download stands. `end` and `etag` are known from the first answer on. */
interface Position {
  readonly key: string
  /** Next byte to deliver. */
  at: number
  /** The byte behind the last one, as asked for at first and as the store said later. */
  end: number | undefined
  etag: string | undefined
}

/**
 * An object, or a range of it, as a stream. After a break it goes on where it stopped, by a range of the same version. A stream on
 * which nothing comes for `idleMs` while it is being waited for counts as broken; a consumer may be as slow as it likes.
 */
export async function* downloadObject(
  connection: S3Connection,
  key: string,
  options: GetStreamOptions,
): AsyncGenerator<Uint8Array> {
  const { offset = 0, length, signal = new AbortController().signal } = options
  if (length === 0) return
  const position: Position = { key, at: offset, end: length === undefined ? undefined : offset + length, etag: undefined }
  const policy = connection.timing.patientRetry
  const { budgetMs } = connection
  const start = connection.clock.now()
  for (let attempt = 1; ; attempt++) {
    const before = position.at
    try {
      yield* once(connection, position, signal)
      return
    } catch (error) {
      signal.throwIfAborted()
      const translated = connection.translate(error, `read of object "${key}"`)
      if (position.at > before) attempt = 1
      if (nextOf(translated) !== 'retry' || storeError.is(translated, 'STORE_CHANGED')) throw translated
      // Before the first byte, fail as soon as other requests do: the caller is not waiting for anything long yet.
      const tries = position.etag === undefined ? connection.timing.retry.attempts : policy.attempts
      const waitMs = backoffMs(attempt, policy)
      const late = position.etag === undefined && connection.clock.now() - start + waitMs > budgetMs
      if (attempt >= tries || late) throw translated
      await connection.clock.sleep(waitMs, signal)
    }
  }
}

async function* once(connection: S3Connection, position: Position, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const own = new AbortController()
  const watch = new IdleWatch(connection.timing.idleMs, () => own.abort(stalled(connection, position)))
  try {
    const body = await watch.during(open(connection, position, AbortSignal.any([signal, own.signal])))
    if (body === undefined) return
    const chunks = body[Symbol.asyncIterator]()
    for (;;) {
      const result = await watch.during(chunks.next() as Promise<IteratorResult<Uint8Array>>)
      if (result.done) break
      yield* deliver(position, result.value)
    }
  } catch (error) {
    if (own.signal.aborted && !signal.aborted) throw own.signal.reason
    throw error
  } finally {
    // Also when the consumer stops early: a body that is neither read nor destroyed keeps its connection.
    watch.stop()
    own.abort(new Error('finished'))
  }
  if (position.end !== undefined && position.at < position.end) {
    const text = `object "${position.key}" in ${connection.where} ended at byte ${position.at} of ${position.end}`
    throw storeError('STORE_TRUNCATED', text)
  }
}

function* deliver(position: Position, chunk: Uint8Array): Generator<Uint8Array> {
  const room = position.end === undefined ? chunk.length : position.end - position.at
  const bytes = chunk.length > room ? chunk.subarray(0, room) : chunk
  position.at += bytes.length
  if (bytes.length > 0) yield bytes
}

/** Undefined: the range begins at or behind the end. */
async function open(connection: S3Connection, position: Position, signal: AbortSignal): Promise<Readable | undefined> {
  const { key, at, end, etag } = position
  const ranged = at > 0 || end !== undefined
  const input = {
    Bucket: connection.bucket,
    Key: key,
    ...(ranged ? { Range: `bytes=${at}-${end === undefined ? '' : end - 1}` } : {}),
    ...(etag === undefined ? {} : { IfMatch: etag }),
  }
  try {
    const what = `read of object "${key}"`
    const found = await connection.unbounded(
      what,
      (client, sdk, abortSignal) => client.send(new sdk.GetObjectCommand(input), { abortSignal }),
      signal,
    )
    // In Node the SDK's body is the response itself, a Readable.
    const body = found.Body as Readable
    if (at > 0 && found.ContentRange === undefined) {
      body.destroy()
      throw storeError(
        'STORE_REFUSED',
        `${connection.where} does not answer ranges: object "${key}" cannot be read from byte ${at}`,
      )
    }
    position.etag = found.ETag
    position.end = await endOf(connection, position, found, signal)
    return body
  } catch (error) {
    if (storeError.is(error, 'STORE_EXISTS')) {
      throw storeError(
        'STORE_CHANGED',
        `object "${key}" in ${connection.where} was replaced while it was read: read it again`,
        { cause: error },
      )
    }
    if (storeError.is(error) && error.details['status'] === 416) return undefined
    throw error
  }
}

/** Without a length (an answer in chunks) a short answer would look whole, so the store is asked. */
async function endOf(
  connection: S3Connection,
  { key, at, end }: Position,
  { ContentLength, ContentRange }: GetObjectCommandOutput,
  signal: AbortSignal,
): Promise<number | undefined> {
  // A store that ignores the range answers with the whole object; `deliver` cuts what is too much.
  if (ContentLength !== undefined)
    return Math.min(at + ContentLength, ContentRange === undefined ? (end ?? Infinity) : Infinity)
  const last = /^bytes \d+-(\d+)\//.exec(ContentRange ?? '')?.[1]
  if (last !== undefined) return Number(last) + 1
  const input = { Bucket: connection.bucket, Key: key }
  const what = `check of object "${key}"`
  const head = await connection.send(
    what,
    (client, sdk, abortSignal) => client.send(new sdk.HeadObjectCommand(input), { abortSignal }),
    {
      signal,
    },
  )
  return head.ContentLength
}

function stalled(connection: S3Connection, position: Position): unknown {
  const seconds = connection.timing.idleMs / 1000
  const text = `read of object "${position.key}" in ${connection.where} stalled at byte ${position.at}: nothing came for ${seconds} s`
  return storeError('STORE_UNREACHABLE', position.etag === undefined ? `${text}; ${cannotReach}` : text)
}

/** Counts only the time in which something is being waited for. */
class IdleWatch {
  readonly #ms: number
  readonly #onIdle: () => void
  #timer: NodeJS.Timeout | undefined

  constructor(ms: number, onIdle: () => void) {
    this.#ms = ms
    this.#onIdle = onIdle
  }

  async during<T>(work: Promise<T>): Promise<T> {
    this.#timer = setTimeout(this.#onIdle, this.#ms)
    try {
      return await work
    } finally {
      this.stop()
    }
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}
