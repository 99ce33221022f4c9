import type { Readable } from 'node:stream'
import { backoffMs } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import { nextOf } from '../base/errors.ts'
import { storeError } from './errors.ts'
import { cannotReach } from './network-fault.ts'
import type { GetStreamOptions } from './object-store.ts'
import type { StoreTiming } from './timing.ts'

/** What a download needs of a store. */
export interface RangeSource {
  readonly where: string
  readonly timing: StoreTiming
  readonly clock: Clock
  /** How long something may be repeated before the first answer. */
  readonly budgetMs: number
  translate(error: unknown, what: string): unknown
}

/** Asks for the bytes from `at` on, and notes `etag` and `end` in the position. Undefined: the range begins at or behind the end. */
export type OpenRange = (position: DownloadPosition, signal: AbortSignal) => Promise<Readable | undefined>

/** Where a download stands. `end` and `etag` are known from the first answer on. */
export interface DownloadPosition {
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
export async function* resumedDownload(
  source: RangeSource,
  key: string,
  options: GetStreamOptions,
  open: OpenRange,
): AsyncGenerator<Uint8Array> {
  const { offset = 0, length, signal = new AbortController().signal } = options
  if (length === 0) return
  const position: DownloadPosition = {
    key,
    at: offset,
    end: length === undefined ? undefined : offset + length,
    etag: undefined,
  }
  const policy = source.timing.patientRetry
  const { budgetMs } = source
  const start = source.clock.now()
  for (let attempt = 1; ; attempt++) {
    const before = position.at
    try {
      yield* once(source, position, signal, open)
      return
    } catch (error) {
      signal.throwIfAborted()
      const translated = source.translate(error, `read of object "${key}"`)
      if (position.at > before) attempt = 1
      if (nextOf(translated) !== 'retry' || storeError.is(translated, 'STORE_CHANGED')) throw translated
      // Before the first byte, fail as soon as other requests do: the caller is not waiting for anything long yet.
      const tries = position.etag === undefined ? source.timing.retry.attempts : policy.attempts
      const waitMs = backoffMs(attempt, policy)
      const late = position.etag === undefined && source.clock.now() - start + waitMs > budgetMs
      if (attempt >= tries || late) throw translated
      await source.clock.sleep(waitMs, signal)
    }
  }
}

async function* once(
  source: RangeSource,
  position: DownloadPosition,
  signal: AbortSignal,
  open: OpenRange,
): AsyncGenerator<Uint8Array> {
  const own = new AbortController()
  const watch = new IdleWatch(source.timing.idleMs, () => own.abort(stalled(source, position)))
  try {
    const body = await watch.during(open(position, AbortSignal.any([signal, own.signal])))
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
    // Also when the consumer stops early: a body that is neither read nor destroyed keeps its source.
    watch.stop()
    own.abort(new Error('finished'))
  }
  if (position.end !== undefined && position.at < position.end) {
    const text = `object "${position.key}" in ${source.where} ended at byte ${position.at} of ${position.end}`
    throw storeError('STORE_TRUNCATED', text)
  }
}

function* deliver(position: DownloadPosition, chunk: Uint8Array): Generator<Uint8Array> {
  const room = position.end === undefined ? chunk.length : position.end - position.at
  const bytes = chunk.length > room ? chunk.subarray(0, room) : chunk
  position.at += bytes.length
  if (bytes.length > 0) yield bytes
}

function stalled(source: RangeSource, position: DownloadPosition): unknown {
  const seconds = source.timing.idleMs / 1000
  const text = `read of object "${position.key}" in ${source.where} stalled at byte ${position.at}: nothing came for ${seconds} s`
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
