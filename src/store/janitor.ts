import type { Clock } from '../base/clock.ts'
import type { StorePool } from './store-pool.ts'

const hourMs = 3_600_000

export interface JanitorOptions {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** From one round to the next. @default 1 h */
  readonly everyMs?: number
  /** As long as nobody has sent anything to an upload, it counts as abandoned. @default 24 h */
  readonly ageMs?: number
  /** What was removed of a store, or why nothing could be. */
  readonly report: (round: { readonly store: string; readonly removed: number; readonly error?: unknown }) => void
}

/**
 * Every so often takes back what killed processes left half uploaded, in the locations that this process has worked with. Until the
 * signal. A lifecycle rule of the bucket is the second net, for what nobody works with any more.
 */
export async function keepTidy(pool: StorePool, options: JanitorOptions): Promise<void> {
  const { clock, signal, everyMs = hourMs, ageMs = 24 * hourMs, report } = options
  try {
    for (;;) {
      await clock.sleep(everyMs, signal)
      await pool.removeAbandoned(clock.now() - ageMs, signal, report)
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
