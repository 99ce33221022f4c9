import { setTimeout as delay } from 'node:timers/promises'

/** The only source of time outside of `main`, so that tests can turn it. Times are epoch milliseconds in UTC. */
export interface Clock {
  now(): number
  /** Waits; rejects with `signal.reason` when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    try {
      await delay(Math.max(0, ms), undefined, signal ? { signal } : {})
    } catch (error) {
      signal?.throwIfAborted()
      throw error
    }
  },
}

/** RFC 3339 with whole seconds and `Z`, as Kubernetes writes times. */
export function toRfc3339(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}
