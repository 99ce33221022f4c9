import type { Clock } from '../base/clock.ts'
import { orAborted } from '../base/or-aborted.ts'

/** A read that hangs must not hold up those that come after it. */
const mostWaitMs = 100

interface Reads {
  /** How many are under way. */
  running: number
  readonly last: Promise<unknown>
  /** Has not begun yet: whoever asks until then gets its answer. */
  next: Promise<string> | undefined
}

/**
 * Equal reads that are asked for while one is under way are one read. It begins after all of them were asked for, so everyone gets
 * an answer as fresh as from a read of his own. Many actions that start at once read the same Profile, Secret and object.
 */
export class SharedReads {
  readonly #clock: Clock
  readonly #reads = new Map<string, Reads>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** `read` gets the signal when it is for this caller alone; one that is shared goes on for the others. */
  async get(key: string, signal: AbortSignal | undefined, read: (signal?: AbortSignal) => Promise<string>): Promise<string> {
    const reads = this.#reads.get(key)
    if (!reads) return await this.#begin(key, () => read(signal))
    reads.next ??= this.#afterwards(key, reads, read)
    reads.next.catch(() => undefined)
    return await (signal ? orAborted(reads.next, signal) : reads.next)
  }

  #begin(key: string, read: () => Promise<string>): Promise<string> {
    const before = this.#reads.get(key)
    const own = read()
    const reads: Reads = { running: (before?.running ?? 0) + 1, last: own.catch(() => undefined), next: undefined }
    this.#reads.set(key, reads)
    void reads.last.then(() => this.#end(key))
    return own
  }

  async #afterwards(key: string, reads: Reads, read: () => Promise<string>): Promise<string> {
    const own = new AbortController()
    await Promise.race([reads.last, this.#clock.sleep(mostWaitMs, own.signal).catch(() => undefined)])
    own.abort(new Error('not waited for any more'))
    return await this.#begin(key, read)
  }

  #end(key: string): void {
    const reads = this.#reads.get(key)
    if (reads && --reads.running === 0 && !reads.next) this.#reads.delete(key)
  }
}
