import { retry } from '../base/backoff.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import { withDeadline } from '../base/deadline.ts'
import { nextOf } from '../base/errors.ts'
import { type StoreTiming, defaultTiming } from './timing.ts'

export interface RequestsSettings {
  /** `bucket "b" at https://endpoint`, for messages. */
  readonly where: string
  readonly timing?: Partial<StoreTiming>
  readonly clock?: Clock
  translate(error: unknown, what: string): unknown
  /** True when the store itself said something, were it no. */
  hasAnswer(error: unknown): boolean
}

export interface SendOptions {
  readonly signal?: AbortSignal | undefined
  /** Worth more tries than others: part of something long. */
  readonly patient?: boolean
}

/** Repeats what may heal and speaks in errors of this room, whatever library sends the requests. */
export class Requests {
  readonly where: string
  readonly timing: StoreTiming
  readonly clock: Clock
  readonly #settings: RequestsSettings
  #answered = false

  constructor(settings: RequestsSettings) {
    this.#settings = settings
    this.where = settings.where
    this.timing = { ...defaultTiming, ...settings.timing }
    this.clock = settings.clock ?? systemClock
  }

  /** Runs `attempt` until it succeeds or is not worth repeating. `what` is a noun: `put of object "k"`. */
  async send<T>(what: string, attempt: (signal: AbortSignal) => Promise<T>, options: SendOptions = {}): Promise<T> {
    const signal = options.signal ?? new AbortController().signal
    const policy = options.patient ? this.timing.patientRetry : this.timing.retry
    const { clock } = this
    const start = clock.now()
    // Asked at each failure: an endpoint that says SlowDown to its first request has answered.
    const when = (error: unknown): boolean => nextOf(error) === 'retry' && clock.now() - start < this.budgetMs
    return retry(() => this.once(what, attempt, signal), { ...policy, when, signal, clock })
  }

  /** How long something may be repeated, beside how often: an endpoint that never answered has most likely a wrong address. */
  get budgetMs(): number {
    return this.#answered ? Infinity : this.timing.firstAnswerMs
  }

  /** One try within the deadline of a request, its failure translated. */
  async once<T>(what: string, attempt: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    return withDeadline(`${what} in ${this.where}`, this.timing.requestMs, signal, (both) =>
      this.unbounded(what, attempt, both),
    )
  }

  /** As `once`, without a deadline: for answers whose body outlives the call. */
  async unbounded<T>(what: string, attempt: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      const result = await attempt(signal)
      this.#answered = true
      return result
    } catch (error) {
      signal.throwIfAborted()
      if (this.#settings.hasAnswer(error)) this.#answered = true
      throw this.translate(error, what)
    }
  }

  translate(error: unknown, what: string): unknown {
    return this.#settings.translate(error, what)
  }
}
