import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import type { Logger } from '../telemetry/logger.ts'
import { queueError } from './errors.ts'
import type { AddOptions, Job, JobAdder, JobConsumer, JobHandler, JobSource, TakeOptions } from './queue.ts'

export interface BullOptions {
  /** `redis://host:port/db`. May hold a password: it is never logged. */
  readonly redisUrl: string
  readonly log: Logger
  /** Name of the queue: one per installation, since several may share a Redis. Letters, digits and dashes. */
  readonly name: string
}

const addMs = 5_000
const checkMs = 5_000
/** A consumer that did not reach Redis for so long is made anew, connections included. */
const renewAfterMs = 60_000

/** The operator's side, on BullMQ. Lives through any absence of Redis. */
export class BullAdder implements JobAdder {
  readonly #redis: Redis
  readonly #queue: Queue
  readonly #handlers = new Set<() => void>()

  constructor({ redisUrl, log, name }: BullOptions) {
    // Nothing is kept for later: what is not added now is added by the next sweep.
    this.#redis = new Redis(redisUrl, { maxRetriesPerRequest: 1, enableOfflineQueue: false, lazyConnect: true })
    quiet(this.#redis, log)
    let known = false
    this.#redis.on('ready', () => {
      if (known) for (const handler of this.#handlers) handler()
      known = true
    })
    this.#redis.connect().catch(() => undefined)
    this.#queue = new Queue(name, {
      connection: this.#redis,
      skipWaitingForReady: true,
      skipVersionCheck: true,
      streams: { events: { maxLen: 1_000 } },
    })
    this.#queue.on('error', () => undefined)
  }

  async add(id: string, job: Job, options: AddOptions = {}): Promise<void> {
    const kept = { jobId: id, removeOnComplete: true, removeOnFail: true, attempts: 1 }
    const adding = this.#queue.add('action', job, options.priority ? { ...kept, priority: options.priority } : kept)
    try {
      await within(addMs, adding)
    } catch (error) {
      throw queueError('QUEUE_UNAVAILABLE', 'Redis does not take new jobs; they are added again when it is back', {
        cause: error,
      })
    }
  }

  onReconnect(handler: () => void): () => void {
    this.#handlers.add(handler)
    return () => this.#handlers.delete(handler)
  }

  async close(): Promise<void> {
    await within(addMs, this.#queue.close()).catch(() => undefined)
    this.#redis.disconnect()
  }
}

/** The workers' side, on BullMQ. */
export class BullSource implements JobSource {
  readonly #options: BullOptions
  readonly #consumers = new Set<BullConsumer>()

  constructor(options: BullOptions) {
    this.#options = options
  }

  take(handler: JobHandler, options: TakeOptions): JobConsumer {
    const consumer = new BullConsumer(this.#options, handler, options.concurrency)
    this.#consumers.add(consumer)
    return consumer
  }

  async close(): Promise<void> {
    await Promise.all([...this.#consumers].map((consumer) => consumer.stop(0)))
  }
}

/**
 * A BullMQ worker and a watch over it. BullMQ's lock is not ours: that it could not be renewed, or that a job is handed out
 * twice, means nothing, since the Run's fence alone says who may work.
 */
class BullConsumer implements JobConsumer {
  readonly #options: BullOptions
  readonly #handler: JobHandler
  readonly #concurrency: number
  readonly #timer: NodeJS.Timeout
  readonly #inWork = new Set<Promise<void>>()
  #current: { readonly redis: Redis; readonly worker: Worker }
  #lastAnswerMs = performance.now()
  #answered = true
  #stopped = false

  constructor(options: BullOptions, handler: JobHandler, concurrency: number) {
    this.#options = options
    this.#handler = handler
    this.#concurrency = concurrency
    this.#current = this.#open()
    this.#timer = setInterval(() => void this.#check(), checkMs)
    this.#timer.unref()
  }

  get healthy(): boolean {
    return this.#answered
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopped = true
    clearInterval(this.#timer)
    const { worker } = this.#current
    // Not taking jobs any more must not depend on Redis either.
    const paused = within(2_000, worker.pause(true)).catch(() => undefined)
    await within(graceMs, Promise.all(this.#inWork)).catch(() => undefined)
    await paused
    await this.#discard(this.#current)
  }

  #open(): { readonly redis: Redis; readonly worker: Worker } {
    const { redisUrl, log, name } = this.#options
    const redis = new Redis(redisUrl, { maxRetriesPerRequest: null })
    quiet(redis, log)
    const worker = new Worker(name, (job) => this.#work(job.data as Job), {
      connection: redis,
      concurrency: this.#concurrency,
      skipVersionCheck: true,
      lockDuration: 60_000,
      stalledInterval: 30_000,
      // A job handed out again is harmless, one given up is not.
      maxStalledCount: 1_000_000,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
      // A stopped process may swallow a wake-up; the others look by themselves this often, in seconds.
      drainDelay: 2,
    })
    worker.on('error', (error) => log.debug({ error: error.message }, 'queue worker error'))
    worker.on('lockRenewalFailed', () => undefined)
    return { redis, worker }
  }

  async #work(job: Job): Promise<void> {
    if (this.#stopped) return
    const done = this.#handler(job).catch((error: unknown) => {
      this.#options.log.warn({ error: String(error), run: job.runName }, 'job failed, the sweep adds it again')
    })
    this.#inWork.add(done)
    await done
    this.#inWork.delete(done)
  }

  async #check(): Promise<void> {
    try {
      await within(checkMs - 500, this.#current.redis.ping())
      this.#lastAnswerMs = performance.now()
      this.#answered = true
    } catch {
      this.#answered = false
    }
    const running = this.#current.worker.isRunning()
    if (this.#stopped || (running && performance.now() - this.#lastAnswerMs < renewAfterMs)) return
    this.#options.log.warn({}, 'queue worker is stuck, opening a new one')
    const old = this.#current
    this.#lastAnswerMs = performance.now()
    this.#current = this.#open()
    void this.#discard(old)
  }

  async #discard({ redis, worker }: { readonly redis: Redis; readonly worker: Worker }): Promise<void> {
    await within(2_000, worker.close(true)).catch(() => undefined)
    redis.disconnect()
  }
}

/** Without a handler an error event ends the process. ioredis tries to connect again by itself. */
function quiet(redis: Redis, log: Logger): void {
  let away = false
  redis.on('error', (error: Error) => {
    if (!away) log.warn({ error: error.message }, 'Redis cannot be reached')
    away = true
  })
  redis.on('ready', () => {
    if (away) log.info({}, 'Redis is back')
    away = false
  })
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
    work.catch(() => undefined)
  }
}
