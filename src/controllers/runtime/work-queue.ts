import { backoffMs } from '../../base/backoff.ts'
import type { Clock } from '../../base/clock.ts'

/** What a reconcile asks for: nothing, or to be called again after some time. */
export type Result = { readonly afterMs: number } | undefined

/** Clocks of machines are set, and timers of a machine that slept are late: nobody waits longer than this for a look. */
const longestWaitMs = 60_000

/** Another look when this time is over, or a minute if that is sooner; undefined: none but for a change. */
export function lookIn(ms: number | undefined): Result {
  return ms === undefined ? undefined : { afterMs: Math.min(longestWaitMs, Math.max(0, ms)) }
}

export interface WorkQueueOptions {
  readonly clock: Clock
  readonly concurrency: number
  readonly reconcile: (key: string, signal: AbortSignal) => Promise<Result>
  readonly onError: (key: string, error: unknown, tries: number) => void
}

/**
 * Keys to look at. A key is looked at by one reconcile at a time; keys added meanwhile are looked at once more afterwards; one
 * whose reconcile failed comes again with growing, jittered waits.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions
  readonly #ready = new Set<string>()
  readonly #active = new Map<string, Promise<void>>()
  readonly #again = new Set<string>()
  readonly #tries = new Map<string, number>()
  readonly #timers = new Map<string, { readonly at: number; readonly cancel: AbortController }>()
  readonly #closed = new AbortController()

  constructor(options: WorkQueueOptions) {
    this.#options = options
  }

  add(key: string): void {
    if (this.#closed.signal.aborted) return
    if (this.#active.has(key)) this.#again.add(key)
    else this.#ready.add(key)
    this.#dispatch()
  }

  /** Adds the key after a while; of several waits the shortest counts. */
  addAfter(key: string, ms: number): void {
    const at = this.#options.clock.now() + ms
    const waiting = this.#timers.get(key)
    if (this.#closed.signal.aborted || (waiting && waiting.at <= at)) return
    waiting?.cancel.abort(new Error('replaced'))
    const cancel = new AbortController()
    this.#timers.set(key, { at, cancel })
    this.#options.clock.sleep(ms, AbortSignal.any([cancel.signal, this.#closed.signal])).then(
      () => {
        this.#timers.delete(key)
        this.add(key)
      },
      () => undefined,
    )
  }

  /** Aborts what runs and waits for it. */
  async close(): Promise<void> {
    this.#closed.abort(new Error('the operator is being stopped'))
    this.#ready.clear()
    await Promise.allSettled(this.#active.values())
  }

  get size(): number {
    return this.#ready.size + this.#active.size
  }

  #dispatch(): void {
    for (const key of this.#ready) {
      if (this.#active.size >= this.#options.concurrency) return
      this.#ready.delete(key)
      this.#active.set(key, this.#run(key))
    }
  }

  async #run(key: string): Promise<void> {
    // One turn later, so that the caller of `add` is not held up.
    await Promise.resolve()
    try {
      const result = await this.#options.reconcile(key, this.#closed.signal)
      this.#tries.delete(key)
      if (result) this.addAfter(key, result.afterMs)
    } catch (error) {
      this.#failed(key, error)
    } finally {
      this.#active.delete(key)
      if (this.#again.delete(key)) this.add(key)
      else this.#dispatch()
    }
  }

  #failed(key: string, error: unknown): void {
    if (this.#closed.signal.aborted) return
    const tries = (this.#tries.get(key) ?? 0) + 1
    this.#tries.set(key, tries)
    this.#options.onError(key, error, tries)
    this.addAfter(key, backoffMs(tries, { firstMs: 100, maxMs: 30_000 }))
  }
}
