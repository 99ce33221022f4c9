import { defineErrors } from './errors.ts'

export const deadlineError = defineErrors({
  DEADLINE_EXCEEDED: { next: 'retry', summary: 'A wait or an operation did not end in its time.' },
})

/**
 * Runs `work` with a signal that is aborted when `signal` is, or after `ms` with DEADLINE_EXCEEDED naming `what`.
 * The timer ends with the work.
 */
export async function withDeadline<T>(
  what: string,
  ms: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const own = new AbortController()
  const timer = setTimeout(() => own.abort(deadlineError('DEADLINE_EXCEEDED', `${what} did not end within ${ms / 1000} s`)), ms)
  const both = signal ? AbortSignal.any([signal, own.signal]) : own.signal
  try {
    both.throwIfAborted()
    return await work(both)
  } catch (error) {
    // A library may report an abort in its own words; the reason says more.
    if (own.signal.aborted && !signal?.aborted) throw own.signal.reason
    throw error
  } finally {
    clearTimeout(timer)
    own.abort(new Error('finished'))
  }
}

/** Cleanup must not use the signal whose abort caused it: this gives a fresh one, bounded by `ms`. */
export async function withCleanupSignal(what: string, ms: number, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  await withDeadline(what, ms, undefined, work)
}
