import { orAborted } from '../base/or-aborted.ts'
import { type PartPlan, bufferCount, partBytes } from './part-plan.ts'

export interface Part {
  readonly bytes: Uint8Array
  /** Gives the memory back for a later part; `bytes` must not be used afterwards. */
  release(): void
}

/**
 * Cuts a stream into parts of the plan's sizes, in few buffers that are used again and again: `next` waits for a free one, so the
 * stream is read only as fast as parts leave. Chunks are copied before the next is asked for.
 */
export class Parts {
  readonly #plan: PartPlan
  readonly #chunks: AsyncIterator<Uint8Array>
  readonly #signal: AbortSignal
  #rest: Uint8Array = new Uint8Array(0)
  #ended = false
  #index = 0
  #free: ArrayBuffer[] = []
  #inUse = 0
  #wake: (() => void) | undefined

  constructor(body: AsyncIterable<Uint8Array>, plan: PartPlan, signal: AbortSignal) {
    this.#plan = plan
    this.#signal = signal
    this.#chunks = body[Symbol.asyncIterator]()
  }

  /** True when the stream has ended and every byte was given out. */
  get ended(): boolean {
    return this.#ended && this.#rest.length === 0
  }

  /** The next part; shorter than planned only at the end, and empty only if nothing was left. */
  async next(): Promise<Part> {
    const memory = await this.#acquire(partBytes(this.#plan, this.#index))
    try {
      const bytes = await this.#fill(new Uint8Array(memory))
      this.#index++
      return { bytes, release: () => this.#release(memory) }
    } catch (error) {
      this.#release(memory)
      throw error
    }
  }

  /** Tells the stream that nobody reads on. Does not wait: a stream that hangs would hang here too. */
  cancel(): void {
    if (this.#ended) return
    this.#ended = true
    this.#chunks.return?.().catch(() => {
      // The upload has failed for its own reason already.
    })
  }

  async #fill(target: Uint8Array): Promise<Uint8Array> {
    let filled = 0
    while (filled < target.length) {
      if (this.#rest.length === 0 && !(await this.#read())) break
      const piece = this.#rest.subarray(0, target.length - filled)
      target.set(piece, filled)
      filled += piece.length
      this.#rest = this.#rest.subarray(piece.length)
    }
    // Look one chunk ahead, so that `ended` is true with the last full part and no empty one follows.
    if (this.#rest.length === 0 && !this.#ended) await this.#read()
    return target.subarray(0, filled)
  }

  async #read(): Promise<boolean> {
    while (!this.#ended) {
      const result = await orAborted(this.#chunks.next(), this.#signal)
      if (result.done) this.#ended = true
      else if (result.value.length > 0) {
        this.#rest = result.value
        return true
      }
    }
    return false
  }

  async #acquire(sizeBytes: number): Promise<ArrayBuffer> {
    this.#signal.throwIfAborted()
    while (this.#inUse >= bufferCount(this.#plan, sizeBytes)) {
      await orAborted(new Promise<void>((resolve) => (this.#wake = resolve)), this.#signal)
    }
    this.#inUse++
    const memory = this.#free.pop()
    if (memory?.byteLength === sizeBytes) return memory
    // Sizes only grow: what is left of the smaller ones goes at once, not when the collector comes by.
    for (const old of [memory, ...this.#free.splice(0)]) old?.transfer(0)
    return new ArrayBuffer(sizeBytes)
  }

  #release(memory: ArrayBuffer): void {
    this.#inUse--
    this.#free.push(memory)
    this.#wake?.()
  }
}
