import { backoffMs } from '../base/backoff.ts'
import type { FunctionContext } from './context.ts'

/** Rarer looks would only lengthen what waits for them; one request in three seconds is no load. */
const pauses = { firstMs: 100, maxMs: 3_000 }

/** Looks at once, then after growing pauses, a last time at `until` (epoch ms): what `look` gave, or undefined when time was over. */
export async function pollUntil<T>(
  { clock, signal }: Pick<FunctionContext, 'clock' | 'signal'>,
  until: number,
  look: () => Promise<T | undefined>,
): Promise<T | undefined> {
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted()
    const found = await look()
    if (found !== undefined) return found
    const leftMs = until - clock.now()
    if (leftMs <= 0) return undefined
    await clock.sleep(Math.min(leftMs, backoffMs(attempt, pauses)), signal)
  }
}
