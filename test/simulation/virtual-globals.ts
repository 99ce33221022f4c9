import type { Random } from './random.ts'
import type { Task, VirtualTime } from './virtual-time.ts'

/**
 * Puts timers and chance of this process under the simulation, for code that asks for them by itself. Gives the way back.
 * What runs meanwhile belongs to the process whose task is running.
 */
export function replaceGlobals(time: VirtualTime, random: Random): () => void {
  const kept = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    setInterval: globalThis.setInterval,
    clearInterval: globalThis.clearInterval,
    setImmediate: globalThis.setImmediate,
  }
  const keptRandom = Math.random
  const keptNow = Date.now
  const keptTimeout = AbortSignal.timeout.bind(AbortSignal)
  const keptAny = AbortSignal.any.bind(AbortSignal)
  Object.assign(globalThis, {
    setTimeout: (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => new Timer(time, ms, () => run(...args)),
    clearTimeout: (timer: unknown) => timer instanceof Timer && timer.close(),
    setInterval: (run: () => void, ms: number) => new Timer(time, ms, run, true),
    clearInterval: (timer: unknown) => timer instanceof Timer && timer.close(),
    setImmediate: (run: (...args: unknown[]) => void, ...args: unknown[]) => new Timer(time, 0, () => run(...args)),
  })
  Math.random = () => random.next()
  Date.now = () => Math.floor(time.now)
  AbortSignal.timeout = (ms) => {
    const own = new AbortController()
    time.after(ms, time.current, () => own.abort(new DOMException('The operation timed out', 'TimeoutError')))
    return own.signal
  }
  AbortSignal.any = compositeSignals()
  return () => {
    Object.assign(globalThis, kept)
    Math.random = keptRandom
    Date.now = keptNow
    AbortSignal.timeout = keptTimeout
    AbortSignal.any = keptAny
  }
}

/**
 * Node keeps each composite signal that somebody listens to in a list of its own until one of its sources is aborted, and with it
 * the whole world of a seed, whose dead processes never abort anything. These belong to their sources, one listener for each.
 */
function compositeSignals(): typeof AbortSignal.any {
  const madeOf = new WeakMap<AbortSignal, AbortController[]>()
  const listOf = (source: AbortSignal): AbortController[] => {
    const found = madeOf.get(source)
    if (found) return found
    const made: AbortController[] = []
    madeOf.set(source, made)
    const abortAll = (): void => {
      for (const each of made.splice(0)) each.abort(source.reason)
    }
    source.addEventListener('abort', abortAll, { once: true })
    return made
  }
  return (sources) => {
    const own = new AbortController()
    const all = [...sources]
    const aborted = all.find((source) => source.aborted)
    if (aborted) own.abort(aborted.reason)
    else for (const source of all) listOf(source).push(own)
    return own.signal
  }
}

class Timer {
  readonly #time: VirtualTime
  readonly #ms: number
  readonly #run: () => void
  readonly #process
  #task: Task

  constructor(time: VirtualTime, ms: number, run: () => void, again = false) {
    this.#time = time
    this.#ms = ms
    this.#process = time.current
    this.#run = again
      ? () => {
          this.refresh()
          run()
        }
      : run
    this.#task = time.after(ms, this.#process, this.#run)
  }

  refresh(): this {
    this.close()
    this.#task = this.#time.after(this.#ms, this.#process, this.#run)
    return this
  }

  close(): void {
    this.#time.cancel(this.#task)
  }

  unref(): this {
    return this
  }

  ref(): this {
    return this
  }
}
