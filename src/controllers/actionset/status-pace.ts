import type { Clock } from '../../base/clock.ts'

/** Between two lies at least so many times what the last one took. */
const restFactor = 10
const longestMs = 2_000

/**
 * How many statuses that only say that something goes on may be written in a second, by all ActionSets of a namespace together.
 * Each costs the API server what a step of an action costs, so with a thousand under way they take turns: the longer the line,
 * the later (and the newer) the news. First come, first served. A server that is slow to take them gets fewer.
 */
export class StatusPace {
  readonly #clock: Clock
  readonly #shortestMs: number
  readonly #burst: number
  readonly #line = new Set<string>()
  #tokens: number
  #tookMs = 0
  #refilledMs: number

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock
    this.#shortestMs = 1_000 / perSecond
    this.#burst = perSecond
    this.#tokens = perSecond
    this.#refilledMs = clock.now()
  }

  /** 0: write now. Else ask again after so many ms, or when there is something new. */
  waitMs(key: string): number {
    if (this.#shortestMs === 0) return 0
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

  /** How long the server needed for the last one. */
  took(ms: number): void {
    this.#tookMs = ms
  }

  /** The key does not wait any more. */
  leave(key: string): void {
    this.#line.delete(key)
  }

  get #stepMs(): number {
    return Math.max(this.#shortestMs, Math.min(longestMs, restFactor * this.#tookMs))
  }

  #refill(): void {
    const earned = Math.floor((this.#clock.now() - this.#refilledMs) / this.#stepMs)
    if (earned <= 0) return
    this.#refilledMs += earned * this.#stepMs
    this.#tokens = Math.min(this.#burst, this.#tokens + earned)
  }
}
