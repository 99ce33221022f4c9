import type { Clock } from '../../src/base/clock.ts'

/** A clock that stands still until it is turned; who sleeps wakes when their time has come. */
export class TurnedClock implements Clock {
  #now: number
  readonly #sleepers = new Set<{ readonly at: number; readonly wake: () => void }>()

  constructor(start: number) {
    this.#now = start
  }

  now(): number {
    return this.#now
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error)
      const sleeper = { at: this.#now + ms, wake: resolve }
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', () => {
        this.#sleepers.delete(sleeper)
        reject(signal.reason as Error)
      })
    })
  }

  /** As when somebody sets the clock of a machine: timers do not notice. */
  setTo(ms: number): void {
    this.#now = ms
  }

  /** Forward wakes sleepers in order of their time; back wakes nobody. */
  async turnTo(ms: number): Promise<void> {
    for (;;) {
      const next = [...this.#sleepers].filter(({ at }) => at <= ms).toSorted((a, b) => a.at - b.at)[0]
      if (!next) break
      this.#sleepers.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.wake()
      await settled()
    }
    this.#now = ms
    await settled()
  }
}

/** Lets everything run that does not wait for a clock. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}
