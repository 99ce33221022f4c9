import { type Clock, systemClock } from './clock.ts'
import { nextOf } from './errors.ts'

export interface BackoffOptions {
  /** First wait in ms. @default 100 */
  readonly firstMs?: number
  /** Longest wait in ms. @default 10_000 */
  readonly maxMs?: number
  /** Growth per attempt. @default 2 */
  readonly factor?: number
}

/** The wait before try number `attempt` (1 is the first repetition), with full jitter in its upper half. */
export function backoffMs(attempt: number, options: BackoffOptions = {}, random: () => number = Math.random): number {
  const { firstMs = 100, maxMs = 10_000, factor = 2 } = options
  const top = Math.min(maxMs, firstMs * factor ** (attempt - 1))
  return top / 2 + (top / 2) * random()
}

export interface RetryOptions extends BackoffOptions {
  readonly signal: AbortSignal
  readonly clock?: Clock
  /** Tries in all. @default Infinity */
  readonly attempts?: number
  /** Stop repeating after this many ms since the first try. @default Infinity */
  readonly budgetMs?: number
  /** @default errors whose `next` is `retry` */
  readonly when?: (error: unknown) => boolean
  readonly onRetry?: (error: unknown, attempt: number, waitMs: number) => void
}

/** Runs `work` until it succeeds, an error is not worth repeating, or the budget is spent (the last error is thrown). */
export async function retry<T>(work: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const { signal, clock = systemClock, attempts = Infinity, budgetMs = Infinity, when = isRetryable } = options
  const start = clock.now()
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted()
    try {
      return await work(attempt)
    } catch (error) {
      signal.throwIfAborted()
      const waitMs = backoffMs(attempt, options)
      if (!when(error) || attempt >= attempts || clock.now() - start + waitMs > budgetMs) throw error
      options.onRetry?.(error, attempt, waitMs)
      await clock.sleep(waitMs, signal)
    }
  }
}

function isRetryable(error: unknown): boolean {
  return nextOf(error) === 'retry'
}
