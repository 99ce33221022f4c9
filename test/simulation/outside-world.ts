import type { Random } from './random.ts'
import type { SimProcess, VirtualTime } from './virtual-time.ts'

/** Something that runs outside of the engine under a name, as a pod does. */
export interface OutsideJob {
  readonly result: string
  done: boolean
}

/** Everything that functions change: what is counted here must not happen twice. */
export class OutsideWorld {
  /** How often each side effect happened, by the phase it belongs to. */
  readonly effects = new Map<string, number>()
  /** Data that is whole, by its name. */
  readonly data = new Set<string>()
  /** Records beside the data: key → the data they name. */
  readonly records = new Map<string, readonly string[]>()
  readonly jobs = new Map<string, OutsideJob>()
  readonly #failures = new Map<string, number>()
  /** Longest latency of one way, in ms. Short of the time of a takeover: nobody can call back what is on its way. */
  slowMs = 50
  readonly #time: VirtualTime
  readonly #random: Random

  constructor(time: VirtualTime, random: Random) {
    this.#time = time
    this.#random = random
  }

  /** Has something done outside, whatever becomes of the process that asked. */
  async call<T>(process: SimProcess, work: () => T, signal?: AbortSignal): Promise<T> {
    const latency = (): number => this.#random.skewed(1, this.slowMs)
    return await new Promise<T>((resolve, reject) => {
      const onAbort = (): void => reject(signal?.reason)
      if (signal?.aborted) return onAbort()
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#time.after(latency(), this.#time.outside, () => {
        const answer = work()
        this.#time.after(latency(), process, () => {
          signal?.removeEventListener('abort', onAbort)
          resolve(answer)
        })
      })
    })
  }

  happen(what: string): void {
    this.effects.set(what, (this.effects.get(what) ?? 0) + 1)
  }

  /** True for the first `times` calls of a phase that come to their end. */
  fails(what: string, times: number): boolean {
    const before = this.#failures.get(what) ?? 0
    if (before >= times) return false
    this.#failures.set(what, before + 1)
    return true
  }

  count(what: string): number {
    return this.effects.get(what) ?? 0
  }

  /** Begins a job unless one of that name is there. */
  begin(name: string, what: string, forMs: number): void {
    if (this.jobs.has(name)) return
    const job = { result: `result of ${what}`, done: false }
    this.jobs.set(name, job)
    this.happen(what)
    this.#time.after(forMs, this.#time.outside, () => {
      job.done = true
    })
  }
}
