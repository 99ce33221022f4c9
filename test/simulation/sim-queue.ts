import { queueError } from '../../src/queue/errors.ts'
import type { Job, JobAdder, JobConsumer, JobHandler, JobSource, TakeOptions } from '../../src/queue/queue.ts'
import type { Random } from './random.ts'
import type { SimProcess, VirtualTime } from './virtual-time.ts'

export interface QueueFaults {
  /** A job vanishes. */
  readonly loss: number
  /** A job is handed out twice. */
  readonly twice: number
  readonly slowMs: number
}

interface Consumer {
  readonly process: SimProcess
  readonly handler: JobHandler
  readonly concurrency: number
  inWork: number
  stopped: boolean
}

/** After so long a job of a consumer that is dead or asleep is handed out again. */
const stalledMs = 60_000

/** Redis and what BullMQ makes of it, as seen by all processes: wakes workers, and is not to be trusted. */
export class SimQueue {
  faults: QueueFaults = { loss: 0, twice: 0, slowMs: 10 }
  awayUntil = 0
  readonly #time: VirtualTime
  readonly #random: Random
  readonly #trace: (text: string) => void
  readonly #waiting = new Map<string, { readonly job: Job; readonly priority: number }>()
  readonly #active = new Set<string>()
  readonly #consumers = new Set<Consumer>()
  readonly #reconnects = new Map<() => void, SimProcess>()

  constructor(time: VirtualTime, random: Random, trace: (text: string) => void) {
    this.#time = time
    this.#random = random
    this.#trace = trace
  }

  get isAway(): boolean {
    return this.#time.now < this.awayUntil
  }

  adder(process: SimProcess): JobAdder {
    return {
      add: async (id, job, options = {}) => {
        await this.#latency(process)
        if (this.isAway) throw queueError('QUEUE_UNAVAILABLE', 'no Redis')
        if (this.#random.chance(this.faults.loss) || this.#active.has(id) || this.#waiting.has(id)) return
        this.#waiting.set(id, { job, priority: options.priority ?? 0 })
        this.#deliver()
      },
      onReconnect: (handler) => {
        this.#reconnects.set(handler, process)
        return () => this.#reconnects.delete(handler)
      },
      close: async () => undefined,
    }
  }

  source(process: SimProcess): JobSource {
    const take = (handler: JobHandler, { concurrency }: TakeOptions): JobConsumer => {
      const consumer = { process, handler, concurrency, inWork: 0, stopped: false }
      this.#consumers.add(consumer)
      this.#deliver()
      const isHealthy = (): boolean => !this.isAway
      return {
        get healthy() {
          return isHealthy()
        },
        stop: (graceMs) => this.#stop(consumer, graceMs),
      }
    }
    return { take, close: async () => undefined }
  }

  /** Redis is gone for some time, with or without what it held. */
  goAway(ms: number, wiped: boolean): void {
    this.awayUntil = this.#time.now + ms
    if (wiped) this.wipe()
    this.#time.after(ms, this.#time.outside, () => {
      for (const [handler, process] of this.#reconnects) this.#time.after(1, process, handler)
      this.#deliver()
    })
  }

  wipe(): void {
    this.#waiting.clear()
    this.#active.clear()
  }

  #deliver(): void {
    if (this.isAway) return
    for (const id of this.#inOrder()) {
      const open = [...this.#consumers].filter(hasRoom)
      if (open.length === 0) return
      const { job } = this.#waiting.get(id) as { job: Job }
      this.#waiting.delete(id)
      this.#active.add(id)
      this.#hand(id, job, this.#random.pick(open))
      if (this.#random.chance(this.faults.twice)) this.#hand(id, job, this.#random.pick([...this.#consumers]))
    }
  }

  #inOrder(): string[] {
    return [...this.#waiting].toSorted(([, a], [, b]) => a.priority - b.priority).map(([id]) => id)
  }

  #hand(id: string, job: Job, consumer: Consumer): void {
    const { process } = consumer
    consumer.inWork++
    this.#trace(`job ${id} for ${process.name}`)
    const stalled = this.#time.after(stalledMs, this.#time.outside, () => this.#stalled(id, job, consumer))
    this.#time.after(this.#random.skewed(1, this.faults.slowMs), process, () => {
      const work = consumer.stopped ? Promise.resolve() : consumer.handler(job).catch(() => undefined)
      void work.then(() => {
        consumer.inWork--
        this.#time.cancel(stalled)
        this.#active.delete(id)
        this.#deliver()
      })
    })
  }

  /** A process that lives renews its lock. */
  #stalled(id: string, job: Job, consumer: Consumer): void {
    if (!consumer.process.dead && !consumer.process.paused) {
      this.#time.after(stalledMs, this.#time.outside, () => this.#active.has(id) && this.#stalled(id, job, consumer))
    } else if (this.#active.delete(id)) {
      this.#waiting.set(id, { job, priority: 0 })
      this.#deliver()
    }
  }

  async #stop(consumer: Consumer, graceMs: number): Promise<void> {
    consumer.stopped = true
    this.#consumers.delete(consumer)
    const clock = this.#time.clock(consumer.process)
    for (let waited = 0; consumer.inWork > 0 && waited < graceMs; waited += 100) await clock.sleep(100)
  }

  async #latency(process: SimProcess): Promise<void> {
    await this.#time.clock(process).sleep(this.#random.skewed(1, this.faults.slowMs))
  }
}

function hasRoom({ process, inWork, concurrency, stopped }: Consumer): boolean {
  // A paused process has its wake-up in its socket: whoever asked gets the job.
  return !process.dead && !stopped && inWork < concurrency
}
