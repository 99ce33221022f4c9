import type { AddOptions, Job, JobAdder, JobConsumer, JobHandler, JobSource, TakeOptions } from './queue.ts'

/** The queue within one process: for tests, and for the all-in-one process without a Redis. Jobs die with it. */
export class MemoryQueue implements JobAdder, JobSource {
  readonly #waiting = new Map<string, { readonly job: Job; readonly priority: number }>()
  readonly #active = new Set<string>()
  readonly #consumers = new Set<MemoryConsumer>()

  add(id: string, job: Job, options: AddOptions = {}): Promise<void> {
    if (!this.#active.has(id) && !this.#waiting.has(id)) {
      this.#waiting.set(id, { job, priority: options.priority ?? 0 })
      this.#deliver()
    }
    return Promise.resolve()
  }

  onReconnect(): () => void {
    return () => undefined
  }

  take(handler: JobHandler, options: TakeOptions): JobConsumer {
    const consumer = new MemoryConsumer(handler, options.concurrency, () => this.#consumers.delete(consumer))
    this.#consumers.add(consumer)
    this.#deliver()
    return consumer
  }

  /** Forgets every job that waits, as a wiped Redis does. */
  wipe(): void {
    this.#waiting.clear()
  }

  async close(): Promise<void> {
    await Promise.all([...this.#consumers].map((consumer) => consumer.stop(0)))
    this.#waiting.clear()
  }

  #deliver(): void {
    for (const consumer of this.#consumers) {
      while (consumer.hasRoom) {
        const id = this.#mostUrgent()
        if (id === undefined) return
        this.#run(id, consumer)
      }
    }
  }

  #mostUrgent(): string | undefined {
    let best: string | undefined
    let bestPriority = Infinity
    for (const [id, { priority }] of this.#waiting) {
      if (priority < bestPriority) [best, bestPriority] = [id, priority]
    }
    return best
  }

  #run(id: string, consumer: MemoryConsumer): void {
    const { job } = this.#waiting.get(id) as { job: Job }
    this.#waiting.delete(id)
    this.#active.add(id)
    void consumer.work(job).then(() => {
      this.#active.delete(id)
      this.#deliver()
    })
  }
}

class MemoryConsumer implements JobConsumer {
  readonly healthy = true
  readonly #handler: JobHandler
  readonly #concurrency: number
  readonly #onStop: () => void
  readonly #inWork = new Set<Promise<void>>()

  constructor(handler: JobHandler, concurrency: number, onStop: () => void) {
    this.#handler = handler
    this.#concurrency = concurrency
    this.#onStop = onStop
  }

  get hasRoom(): boolean {
    return this.#inWork.size < this.#concurrency
  }

  /** Never rejects: what became of a job is the business of its handler. */
  async work(job: Job): Promise<void> {
    // The extra turn keeps a handler from running inside `add`.
    const done = Promise.resolve()
      .then(() => this.#handler(job))
      .catch(() => undefined)
    this.#inWork.add(done)
    await done
    this.#inWork.delete(done)
  }

  async stop(graceMs: number): Promise<void> {
    this.#onStop()
    let timer: NodeJS.Timeout | undefined
    const grace = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs)
    })
    await Promise.race([Promise.all(this.#inWork), grace])
    clearTimeout(timer)
  }
}
