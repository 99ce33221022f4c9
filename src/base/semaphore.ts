/** Bounds a fan-out: at most `limit` pieces of work run at once, the rest wait in order. */
export class Semaphore {
  readonly #waiting: Array<() => void> = []
  #free: number

  constructor(limit: number) {
    this.#free = limit
  }

  /** Runs `work` when a place is free. A wait that is aborted rejects with `signal.reason` and takes no place. */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#enter(signal)
    try {
      return await work()
    } finally {
      this.#leave()
    }
  }

  #enter(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (this.#free > 0) {
      this.#free--
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1)
        reject(signal?.reason)
      }
      const enter = (): void => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiting.push(enter)
    })
  }

  #leave(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free++
  }
}

/** Maps with at most `limit` in flight; the first failure aborts the signal given to the others and is thrown. */
export async function mapBounded<T, R>(
  items: Iterable<T>,
  limit: number,
  work: (item: T, signal: AbortSignal) => Promise<R>,
  signal?: AbortSignal,
): Promise<R[]> {
  const own = new AbortController()
  const both = signal ? AbortSignal.any([signal, own.signal]) : own.signal
  const semaphore = new Semaphore(limit)
  const settled = await Promise.allSettled(
    Array.from(items, (item) =>
      semaphore.run(async () => {
        both.throwIfAborted()
        try {
          return await work(item, both)
        } catch (error) {
          own.abort(error)
          throw error
        }
      }),
    ),
  )
  signal?.throwIfAborted()
  if (own.signal.aborted) throw own.signal.reason
  return settled.map((result) => (result as PromiseFulfilledResult<R>).value)
}
