import type { Clock } from '../base/clock.ts'
import { runError } from './errors.ts'

export interface PhaseSignalOptions {
  /** For messages: `phase "dump"`. */
  readonly what: string
  readonly clock: Clock
  readonly timeoutMs: number
  /** What the work gets to return after its signal was aborted. */
  readonly graceMs: number
  /** Each of them stops the work. */
  readonly signals: readonly AbortSignal[]
}

/**
 * Runs the work of a phase under one signal that is aborted by the first of `signals` or by the deadline (RUN_TIMEOUT). If the
 * work fails after that, the reason of the abort is thrown: it says more than what the work made of it. Work that does not
 * return in its grace time is left behind, with RUN_STUCK.
 */
export async function withPhaseSignal<T>(options: PhaseSignalOptions, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { what, clock, timeoutMs, graceMs, signals } = options
  const own = new AbortController()
  const settled = new AbortController()
  const signal = AbortSignal.any([...signals, own.signal])
  const timeout = runError('RUN_TIMEOUT', `${what} did not end within ${timeoutMs / 1000} s`)
  clock.sleep(timeoutMs, settled.signal).then(
    () => own.abort(timeout),
    () => undefined,
  )
  try {
    signal.throwIfAborted()
    return await Promise.race([work(signal), stuck(options, signal, settled.signal, graceMs)])
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  } finally {
    settled.abort(new Error('settled'))
    own.abort(new Error('settled'))
  }
}

/** Never resolves; rejects when the work did not listen. */
async function stuck(options: PhaseSignalOptions, signal: AbortSignal, settled: AbortSignal, graceMs: number): Promise<never> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
  // After the work settled nobody looks at this any more.
  if (settled.aborted) return new Promise<never>(() => undefined)
  try {
    await options.clock.sleep(graceMs, settled)
  } catch {
    return new Promise<never>(() => undefined)
  }
  throw runError('RUN_STUCK', `${options.what} did not stop within ${graceMs / 1000} s after it was told to`)
}
