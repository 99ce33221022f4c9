import type { Clock } from '../../base/clock.ts'

/**
 * How many statuses that only say that something goes on may be written in a second, by all ActionSets of a namespace together.
 * Each costs the API server what a step of an action costs, so with a thousand under way they take turns: the longer the line,
 * the later (and the newer) the news. First come, first served.
 */
export class StatusPace {
  readonly #clock: Clock
  readonly #stepMs: number
  readonly #burst: number
  readonly #line = new Set<string>()
  #tokens: number
  #refilledMs: number

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock
    this.#stepMs = 1_000 / perSecond
    this.#burst = perSecond
    this.#tokens = perSecond
    this.#refilledMs = clock.now()
  }

  /** 0: write now. Else ask again after so many ms, or when there is something new. */
  waitMs(key: string): number {
    if (this.#stepMs === 0) return 0
    this.#refill()
    this.#line.add(key)
    const position = [...this.#line].indexOf(key)
    if (position < this.#tokens) {
      this.#line.delete(key)
      this.#tokens--
      return 0
    }
    const nextMs = this.#refilledMs + this.#stepMs - this.#clock.now()
    return Math.max(1, nextMs + (position - this.#tokens) * this.#stepMs)
  }

  /** The key does not wait any more. */
  leave(key: string): void {
    this.#line.delete(key)
  }

  #refill(): void {
    const earned = Math.floor((this.#clock.now() - this.#refilledMs) / this.#stepMs)
    if (earned <= 0) return
    this.#refilledMs += earned * this.#stepMs
    this.#tokens = Math.min(this.#burst, this.#tokens + earned)
  }
}
