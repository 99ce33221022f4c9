import { isDeepStrictEqual } from 'node:util'
import type { Fence, Run, RunAction } from '../api/run.ts'
import { retry } from '../base/backoff.ts'
import { toRfc3339, type Clock } from '../base/clock.ts'
import { nextOf } from '../base/errors.ts'
import { kubeError } from '../kube/errors.ts'
import { ownKinds } from '../kube/own-kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type { ResourceApi } from '../kube/resource-api.ts'
import type { Logger } from '../telemetry/logger.ts'
import { endOfRun } from './end-of-run.ts'
import { runError } from './errors.ts'
import { isEnded, reduce, type ActionPlan, type ActionState, type MachineEvent, type Note } from './machine.ts'
import { actionsOf } from './project.ts'

export interface JournalOptions {
  readonly kube: Pick<Kube, 'resource'>
  readonly run: Run
  readonly actionIndex: number
  readonly plan: ActionPlan
  readonly clock: Clock
  readonly log: Logger
  /** Sends what a write reported, after it. */
  readonly emit: (note: Note) => void
  /** Called with the whole Run as each answer shows it: what others wrote into it is known so, whatever the watch says. */
  readonly onAnswer?: (run: Run) => void
  /** For how long a write is repeated while the API server is away. */
  readonly budgetMs: number
  /** Shortest time between writes that only `flushSoon` asked for. */
  readonly soonMs: number
}

/** An answer within this time says how it is: who falls silent is not given up before twice as long. */
const freshMs = 4_000
/** Who was told that an action is his begins nothing more on the strength of that after this time, his last request included. */
const aloneMs = freshMs + 1_000
/** A server that has just started may not know anybody's rights yet; a right that lacks for good is said after this time. */
const refusedMs = 60_000
/** A server that is always slower than that is believed in the end. */
const confirmTries = 3

/**
 * The entry of one action in its Run. `apply` changes it in memory; `flush` makes everything applied so far durable, in one
 * JSON Patch that tests the fence in the same request, so that a worker that lost the action cannot write, and two workers
 * can write different actions of one Run without a conflict.
 */
export class Journal {
  readonly #options: JournalOptions
  readonly #runs: ResourceApi<Run>
  readonly #lost = new AbortController()
  readonly #closed = new AbortController()
  #run: Run
  #state: ActionState
  /** The fence that the server is known to hold: what the next write tests. */
  #durableFence: Fence
  /**
   * What an earlier start of this worker left, until it is taken. That process may have sent a last write that arrives after we
   * read, and its fence says nothing of that: it is compared as a whole.
   */
  #leftBehind: RunAction | undefined
  #notes: Note[] = []
  #afterwards: { readonly version: number; readonly work: () => void }[] = []
  #version = 0
  #written = 0
  #writing: Promise<void> | undefined
  #lastWriteMs: number
  #soon = false
  /** When the request was sent whose answer said last that the action is ours. */
  #provenMs = -Infinity
  readonly #hadOwner: boolean
  /** When our claim was answered. */
  #claimedMs: number | undefined

  constructor(options: JournalOptions) {
    this.#options = options
    this.#runs = options.kube.resource(ownKinds.runs)
    this.#run = options.run
    const action = actionsOf(options.run)[options.actionIndex]
    if (!action) throw new RangeError(`Run ${options.run.metadata.name} has no action ${options.actionIndex}`)
    this.#state = { plan: options.plan, action }
    this.#durableFence = action.fence
    this.#leftBehind = action.fence.owner === '' ? undefined : action
    this.#hadOwner = action.fence.attempt > 0
    this.#lastWriteMs = options.clock.now()
  }

  get state(): ActionState {
    return this.#state
  }

  get action(): RunAction {
    return this.#state.action
  }

  /** As the server answered last. */
  get run(): Run {
    return this.#run
  }

  /** Aborted when this attempt may not write any more: RUN_FENCED, RUN_GONE or RUN_JOURNAL_AWAY. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  apply(event: MachineEvent): void {
    // What was given free is not ours to change, though a cancel may come before the answer does (found by the simulation).
    if (this.#state.action.fence.owner === '' && event.type !== 'claimed') return
    const { state, effects } = reduce(this.#state, event)
    if (state === this.#state) return
    this.#state = state
    this.#notes.push(...effects)
    this.#version++
  }

  /** Resolves when everything applied so far is durable. Rejects with the reason of `lost`, or when the server refuses the write. */
  async flush(): Promise<void> {
    const target = this.#version
    while (this.#written < target) {
      this.#lost.signal.throwIfAborted()
      this.#writing ??= this.#write().finally(() => {
        this.#writing = undefined
      })
      await this.#writing
    }
  }

  /** Does `work` once everything applied so far is durable; never if the action is lost before. */
  whenDurable(work: () => void): void {
    this.#afterwards.push({ version: this.#version, work })
  }

  /** Writes within `soonMs`; any number of calls until then make one write. Failures show at the next `flush`. */
  flushSoon(): void {
    if (this.#soon || this.#closed.signal.aborted) return
    this.#soon = true
    const waitMs = Math.max(0, this.#lastWriteMs + this.#options.soonMs - this.#options.clock.now())
    void this.#options.clock
      .sleep(waitMs, this.#closed.signal)
      .then(() => this.flush())
      .catch(() => undefined)
      .finally(() => {
        this.#soon = false
      })
  }

  /** Looks whether the action is still ours: after this process may have slept. */
  async verify(call: { readonly timeoutMs?: number } = {}): Promise<void> {
    const run = await this.#runs.find(this.#key, call)
    if (!run) return this.#lose(runError('RUN_GONE', `Run ${this.#options.run.metadata.name} was deleted`))
    const there = this.#fenceIn(run)
    // An answer that crossed with a write of ours is older than what we know.
    if (there.attempt < this.#durableFence.attempt) return
    if (!sameFence(there, this.#durableFence) && !sameFence(there, this.action.fence)) this.#loseFence(run)
  }

  /**
   * Resolves when the server has said within the last moments that the action is ours: to be asked before what cannot be taken back. With `anew` it
   * is asked now, for at most so long.
   */
  async confirm(anew?: { readonly timeoutMs: number }): Promise<void> {
    if (anew || this.#isLate(this.#provenMs)) await this.#confirm(anew)
    this.#lost.signal.throwIfAborted()
  }

  /**
   * Resolves when whoever had the action before can begin nothing more: for some seconds he may not know yet that it was taken from him. What he
   * begins until then must meet what is there already, so nothing of that is removed before.
   */
  async untilAlone(signal?: AbortSignal): Promise<void> {
    if (!this.#hadOwner) return
    const { clock } = this.#options
    const passedMs = clock.now() - (this.#claimedMs ?? clock.now())
    if (passedMs < aloneMs) await clock.sleep(Math.min(aloneMs, aloneMs - passedMs), signal)
  }

  /** Ends what waits. Nothing is written any more. */
  close(): void {
    this.#closed.abort(new Error('the journal was closed'))
  }

  get #key(): { readonly namespace: string; readonly name: string } {
    return { namespace: this.#options.run.metadata.namespace, name: this.#options.run.metadata.name }
  }

  async #write(): Promise<void> {
    const { clock, log, budgetMs } = this.#options
    const signal = AbortSignal.any([this.#lost.signal, this.#closed.signal])
    const startedMs = clock.now()
    const isRefusal = (error: unknown): boolean => kubeError.is(error, 'KUBE_FORBIDDEN', 'KUBE_UNAUTHORIZED')
    try {
      await retry(() => this.#writeOnce(signal), {
        signal,
        clock,
        budgetMs,
        maxMs: 5_000,
        when: (error) => nextOf(error) === 'retry' || (isRefusal(error) && clock.now() - startedMs < refusedMs),
        onRetry: (error, attempt, waitMs) =>
          log.warn({ error: String(error), attempt, waitMs }, 'journal write failed, trying again'),
      })
    } catch (error) {
      if (!signal.aborted && nextOf(error) === 'retry') {
        this.#lose(runError('RUN_JOURNAL_AWAY', 'the journal could not be written within its budget', { cause: error }))
      }
      this.#lost.signal.throwIfAborted()
      throw error
    }
  }

  async #writeOnce(signal: AbortSignal): Promise<void> {
    const version = this.#version
    const { action } = this.#state
    const notes = this.#notes
    this.#notes = []
    const sentMs = this.#options.clock.now()
    try {
      const run = await this.#patch(action, signal)
      this.#run = run
      this.#durableFence = action.fence
      this.#leftBehind = undefined
      this.#written = version
      this.#lastWriteMs = this.#options.clock.now()
      this.#claimedMs ??= this.#lastWriteMs
      this.#provenMs = sentMs
      this.#options.onAnswer?.(run)
    } catch (error) {
      this.#notes = [...notes, ...this.#notes]
      throw error
    }
    for (const note of notes) this.#options.emit(note)
    const due = this.#afterwards.filter(({ version: of }) => of <= version)
    this.#afterwards = this.#afterwards.filter(({ version: of }) => of > version)
    for (const { work } of due) work()
    if (this.#isLate(sentMs)) await this.#confirm()
  }

  /**
   * What an answer said was true when it was sent. A process that slept over it may have lost the action since, and would begin with what
   * the write announced although somebody else has done it: so the fence is asked for again, until the answer is fresh.
   */
  async #confirm(call?: { readonly timeoutMs: number }): Promise<void> {
    for (let tries = 1; tries <= confirmTries && !this.#lost.signal.aborted; tries++) {
      const askedMs = this.#options.clock.now()
      await this.verify(call)
      this.#provenMs = askedMs
      if (!this.#isLate(askedMs)) break
    }
    this.#lost.signal.throwIfAborted()
  }

  #isLate(sinceMs: number): boolean {
    const ageMs = this.#options.clock.now() - sinceMs
    // A clock that was set back says nothing of how long it was.
    return ageMs > freshMs || ageMs < 0
  }

  async #patch(action: RunAction, signal: AbortSignal): Promise<Run> {
    const end = this.#endOfRun(action)
    try {
      return await this.#send(action, end, signal)
    } catch (error) {
      if (kubeError.is(error, 'KUBE_NOT_FOUND')) {
        this.#lose(runError('RUN_GONE', `Run ${this.#key.name} was deleted`, { cause: error }))
      }
      if (!kubeError.is(error, 'KUBE_INVALID', 'KUBE_CONFLICT')) throw error
      return await this.#afterRefusal(action, error, signal)
    }
  }

  /** A refused patch: the fence moved, or an earlier try of this very write arrived although its answer did not. */
  async #afterRefusal(action: RunAction, refusal: unknown, signal: AbortSignal): Promise<Run> {
    const run = await this.#runs.get(this.#key, { signal })
    const there = this.#fenceIn(run)
    // Read before this very worker ended the action (a job that came twice): the same fence, but not this write, though it may be an end too.
    const ended = run.status.actions[String(this.#options.actionIndex)]
    if (ended && isEnded(ended) && !isDeepStrictEqual(ended, JSON.parse(JSON.stringify(action)))) {
      this.#lose(runError('RUN_FENCED', 'the action has ended meanwhile; this attempt stops'))
      this.#lost.signal.throwIfAborted()
    }
    if (sameFence(there, action.fence)) {
      this.#durableFence = there
      this.#leftBehind = undefined
      // What was given free is not ours to write again: somebody may have approved its next phase since.
      if (there.owner === '') return run
      return await this.#send(action, [], signal)
    }
    if (!sameFence(there, this.#durableFence)) {
      this.#loseFence(run)
      this.#lost.signal.throwIfAborted()
    }
    if (this.#leftBehind) {
      this.#lose(
        runError(
          'RUN_FENCED',
          'a last write of an earlier start of this worker came after the Run was read; this attempt stops',
        ),
      )
      this.#lost.signal.throwIfAborted()
    }
    // Not the fence: what belongs to the end of the Run may have been refused. The operator settles that too.
    if (isEnded(action)) return await this.#send(action, [], signal)
    throw refusal
  }

  async #send(action: RunAction, end: readonly object[], signal: AbortSignal): Promise<Run> {
    const at = `/status/actions/${this.#options.actionIndex}`
    const { owner, instance, attempt } = this.#durableFence
    const taken = this.#leftBehind ? [{ op: 'test', path: at, value: this.#leftBehind }] : []
    const patch = [
      ...taken,
      { op: 'test', path: `${at}/fence/attempt`, value: attempt },
      { op: 'test', path: `${at}/fence/owner`, value: owner },
      { op: 'test', path: `${at}/fence/instance`, value: instance },
      { op: 'replace', path: at, value: action },
      // Whoever takes an action that nobody had ends the server's notes of who wrote which field: nobody else writes a Run, and
      // keeping them costs as much as the write itself.
      ...(owner === '' ? [{ op: 'add', path: '/metadata/managedFields', value: [{}] }] : []),
      ...end,
    ]
    return await this.#runs.patch(this.#key, patch, { type: 'json', signal, retry: false, timeoutMs: 10_000 })
  }

  /** With the last action the whole Run ends, in the same write. Two that end at once leave it to the operator. */
  #endOfRun(action: RunAction): readonly object[] {
    const all = actionsOf(this.#run).map((other, index) => (index === this.#options.actionIndex ? action : other))
    return all.every(isEnded) ? endOfRun(all, toRfc3339(this.#options.clock.now())) : []
  }

  #fenceIn(run: Run): Fence {
    return run.status.actions[String(this.#options.actionIndex)]?.fence ?? { owner: '', instance: '', attempt: -1 }
  }

  #loseFence(run: Run): void {
    const { owner, attempt } = this.#fenceIn(run)
    const who = owner === '' ? 'nobody yet' : `worker ${owner}`
    this.#lose(runError('RUN_FENCED', `the action was given to ${who} (attempt ${attempt}); this attempt stops`))
  }

  #lose(reason: Error): void {
    this.#lost.abort(reason)
  }
}

function sameFence(a: Fence, b: Fence): boolean {
  return a.owner === b.owner && a.instance === b.instance && a.attempt === b.attempt
}
