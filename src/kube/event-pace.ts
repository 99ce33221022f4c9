/** So many go out as they come: what one or two ActionSets tell. */
const burst = 6
/** Beyond them one in this time, while more keep coming. */
const busyMs = 500
/** When none came for so long there is no work that they could stand in the way of. */
const quietAfterMs = 1_000
const quietMs = 20
/** An API server that is slow to take one has even less time to spare: between two lies so many times what the last one took. */
const restFactor = 10
const longestMs = 5_000

/**
 * How fast Events may go out. They are a courtesy: each costs the API server what a step of an action costs, so under load they
 * must not take its time from the work, and what waits follows when the load is over.
 */
export class EventPace {
  #tokens = burst
  #refilledMs = Number.NEGATIVE_INFINITY
  #lastCameMs = Number.NEGATIVE_INFINITY
  #tookMs = 0

  came(now: number): void {
    this.#lastCameMs = now
  }

  /** How long the server needed for the last one. */
  took(ms: number): void {
    this.#tookMs = ms
  }

  /** Takes the right to send one; otherwise how long to wait before asking again, in ms. */
  waitMs(now: number): number {
    const quietIn = this.#lastCameMs + quietAfterMs - now
    const stepMs = quietIn > 0 ? Math.max(busyMs, Math.min(longestMs, restFactor * this.#tookMs)) : quietMs
    const earned = Math.floor((now - this.#refilledMs) / stepMs)
    if (earned > 0) {
      this.#tokens = Math.min(burst, this.#tokens + earned)
      this.#refilledMs = now
    }
    if (this.#tokens > 0) {
      this.#tokens--
      return 0
    }
    const nextMs = this.#refilledMs + stepMs - now
    return Math.max(1, quietIn > 0 ? Math.min(nextMs, quietIn) : nextMs)
  }
}
