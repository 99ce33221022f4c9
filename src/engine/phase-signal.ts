import { aborted } from '../base/aborted.ts'
import type { Clock } from '../base/clock.ts'
import { runError } from './errors.ts'
import type { Deadline } from './phase-policy.ts'

export interface PhaseSignalOptions {
  /** For messages: `phase "dump"`. */
  readonly what: string
  readonly clock: Clock
  readonly deadline: Deadline
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
  const { clock, deadline, graceMs, signals } = options
  const own = new AbortController()
  const settled = new AbortController()
  const signal = AbortSignal.any([...signals, own.signal])
  const timeout = runError('RUN_TIMEOUT', deadline.text)
  const leftMs = deadline.atMs - clock.now()
  if (leftMs <= 0) own.abort(timeout)
  clock.sleep(Math.min(longestTimerMs, leftMs), settled.signal).then(
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

/** Longer ones end at once in Node. */
const longestTimerMs = 2 ** 31 - 1

/** Never resolves; rejects when the work did not listen. */
async function stuck(options: PhaseSignalOptions, signal: AbortSignal, settled: AbortSignal, graceMs: number): Promise<never> {
  await aborted(signal)
  // After the work settled nobody looks at this any more.
  if (settled.aborted) return new Promise<never>(() => undefined)
  try {
    await options.clock.sleep(graceMs, settled)
  } catch {
    return new Promise<never>(() => undefined)
  }
  throw runError('RUN_STUCK', `${options.what} did not stop within ${graceMs / 1000} s after it was told to`)
}
