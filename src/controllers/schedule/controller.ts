import type { ActionSet } from '../../api/actionset.ts'
import { names } from '../../api/names.ts'
import type { Schedule } from '../../api/schedule.ts'
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import { mapBounded } from '../../base/semaphore.ts'
import type { EventSink } from '../../kube/events.ts'
import type { Informer } from '../../kube/informer.ts'
import type { Kube } from '../../kube/kube.ts'
import { parseKey, type Live } from '../../kube/objects.ts'
import { ownKinds } from '../../kube/own-kinds.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { Unseen } from '../runtime/unseen.ts'
import { noteWatchFaults } from '../runtime/watch-faults.ts'
import { lookIn, WorkQueue, type Result } from '../runtime/work-queue.ts'
import { act } from './act.ts'
import { Candidates } from './candidates.ts'
import { decide, type Decision } from './decide.ts'
import type { ScheduleMeter } from './meter.ts'
import { kindsOf, targetsOf } from './targets.ts'

export interface ScheduleControllerOptions {
  readonly kube: Pick<Kube, 'resource' | 'informer'>
  readonly events: EventSink
  readonly clock: Clock
  readonly log: Logger
  readonly namespace: string
  readonly engineNamespace: string
  readonly meter: ScheduleMeter
}

/** Changes of objects and ActionSets come in crowds; each look goes through all of them. */
const changesSettleMs = 1_000
/** Until the watch shows a Schedule that changed while it was acted on. */
const againMs = 200

/** ActionSets that are looked for on the server. */
const looksAtOnce = 8

interface Decided {
  readonly schedule: Live<Schedule>
  readonly decision: Decision
}

/** Drives the Schedules of one namespace. */
export class ScheduleController {
  readonly #options: ScheduleControllerOptions
  readonly #stop = new AbortController()
  readonly #queue: WorkQueue
  readonly #schedules: Informer<Schedule>
  readonly #actionSets: Informer<ActionSet>
  readonly #candidates: Candidates
  /** Of each Schedule and object the ActionSet of its latest slot. */
  readonly #newest = new Map<string, Live<ActionSet>>()
  /** ActionSets that we made and that the watch has not shown yet. */
  readonly #made: Unseen<ActionSet>
  /** Keys of Schedules that have changed since the watch spoke of them. */
  readonly #outdated = new Set<string>()

  constructor(options: ScheduleControllerOptions) {
    this.#options = options
    const { kube, clock, log, namespace } = options
    const { signal } = this.#stop
    const onError = noteWatchFaults(log, namespace)
    this.#queue = new WorkQueue({
      clock,
      concurrency: 4,
      reconcile: (key, abort) => this.#reconcile(key, abort),
      onError: (key, error, tries) =>
        log.warn({ Schedule: key, error: messageOf(error), attempt: tries }, 'reconcile failed, trying again'),
    })
    this.#made = new Unseen(kube.resource(ownKinds.actionSets), clock)
    this.#schedules = kube.informer(ownKinds.schedules, { namespace, signal, onError })
    this.#actionSets = kube.informer(ownKinds.actionSets, {
      namespace,
      signal,
      onError,
      labelSelector: names.schedule,
      project: keep,
    })
    this.#candidates = new Candidates({
      kube,
      signal,
      onError,
      onChange: () => this.#schedules.list().forEach((schedule) => this.#later(schedule)),
    })
  }

  async start(): Promise<void> {
    await Promise.all([this.#schedules.synced, this.#actionSets.synced])
    for (const actionSet of this.#actionSets.list(this.#options.namespace)) this.#keepNewest(actionSet)
    this.#schedules.onChange((key) => this.#queue.add(key))
    this.#actionSets.onChange((_key, after, before) => this.#actionSetChanged(after, before))
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error('the operator is being stopped'))
    await this.#queue.close()
    await Promise.all([this.#schedules.close(), this.#actionSets.close(), this.#candidates.close()])
  }

  #later({ metadata }: Live<Schedule>): void {
    this.#queue.addAfter(`${metadata.namespace}/${metadata.name}`, changesSettleMs)
  }

  /** Only how they end is of interest. */
  #actionSetChanged(after: Live<ActionSet> | undefined, before: Live<ActionSet> | undefined): void {
    const schedule = (after ?? before)?.metadata.labels?.[names.schedule]
    if (after) this.#made.seen(after.metadata.name)
    if (after) this.#keepNewest(after)
    else if (before) this.#forgetNewest(before)
    if (schedule === undefined || (before && after && before.status?.state === after.status?.state)) return
    this.#queue.addAfter(`${this.#options.namespace}/${schedule}`, changesSettleMs)
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const { meter, clock } = this.#options
    const cached = this.#schedules.getByKey(key)
    if (!cached) {
      meter.forget(parseKey(key).name)
      this.#outdated.delete(key)
      return undefined
    }
    await this.#made.check(signal)
    const first = this.#outdated.has(key) ? undefined : await this.#decide(cached, signal)
    const view = first && !doesSomething(first.decision) ? first : await this.#decideAnew(key, first, signal)
    // The watch will say that it is gone.
    if (!view) return lookIn(Infinity)
    const { schedule, decision } = view
    meter.take(schedule, decision)
    const deps = { ...this.#options, onCreated: (actionSet: Live<ActionSet>) => this.#remember(actionSet) }
    if (!(await act(deps, schedule, decision, signal))) {
      this.#outdated.add(key)
      return { afterMs: againMs }
    }
    this.#outdated.delete(key)
    return lookIn(decision.next === undefined ? undefined : decision.next - clock.now())
  }

  async #decide(schedule: Live<Schedule>, signal: AbortSignal): Promise<Decided> {
    const { clock, engineNamespace } = this.#options
    const candidates = await this.#candidates.of(kindsOf(schedule))
    await this.#findUnseen(schedule, signal)
    const decision = decide({
      schedule,
      targets: targetsOf(schedule, candidates, engineNamespace),
      findActionSet: (name) => this.#find(name),
      findNewest: (object) => this.#newest.get(`${schedule.metadata.name} ${object}`),
      now: clock.now(),
    })
    return { schedule, decision }
  }

  /**
   * By the Schedule as the server has it, before something is started or cancelled: it may have been suspended or changed, and our watch may not
   * have said so yet.
   */
  async #decideAnew(key: string, first: Decided | undefined, signal: AbortSignal): Promise<Decided | undefined> {
    const schedule = await this.#options.kube.resource(ownKinds.schedules).find(parseKey(key), { signal })
    if (!schedule) return undefined
    const isSame = first?.schedule.metadata.resourceVersion === schedule.metadata.resourceVersion
    return isSame ? first : await this.#decide(schedule, signal)
  }

  /** What status calls under way and the watch does not show is gone only when the server says so. */
  async #findUnseen({ status }: Live<Schedule>, signal: AbortSignal): Promise<void> {
    const { kube, namespace } = this.#options
    const underWay = Object.values(status?.objects ?? {}).flatMap(({ last }) =>
      last?.state === 'pending' || last?.state === 'running' ? [last.actionSet] : [],
    )
    const missing = underWay.filter((name) => !this.#find(name))
    const look = async (name: string): Promise<void> => {
      const found = await kube.resource(ownKinds.actionSets).find({ namespace, name }, { signal })
      if (found) this.#remember(found)
    }
    await mapBounded(missing, looksAtOnce, look, signal)
  }

  #find(name: string): Live<ActionSet> | undefined {
    return this.#actionSets.get(this.#options.namespace, name) ?? this.#made.get(name)
  }

  #keepNewest(actionSet: Live<ActionSet>): void {
    const key = objectOf(actionSet)
    const known = this.#newest.get(key)
    if (!known || slotOf(known) <= slotOf(actionSet)) this.#newest.set(key, actionSet)
  }

  #forgetNewest(actionSet: Live<ActionSet>): void {
    const key = objectOf(actionSet)
    if (this.#newest.get(key)?.metadata.name === actionSet.metadata.name) this.#newest.delete(key)
  }

  #remember(actionSet: Live<ActionSet>): void {
    this.#keepNewest(actionSet)
    if (!this.#actionSets.get(this.#options.namespace, actionSet.metadata.name)) this.#made.made(actionSet)
  }
}

/** Something that writing a status would not take back. */
function doesSomething({ turns }: Decision): boolean {
  return turns.some(({ create, cancel }) => create !== undefined || cancel.length > 0)
}

/** RFC 3339 in UTC, so later ones sort behind; empty for those that somebody labelled by hand. */
function slotOf({ metadata }: Live<ActionSet>): string {
  return metadata.annotations?.[names.slot] ?? ''
}

function objectOf({ metadata }: Live<ActionSet>): string {
  return `${metadata.labels?.[names.schedule] ?? ''} ${metadata.annotations?.[names.scheduledObject] ?? ''}`
}

/** Thousands of finished ones are there: only how they went is kept. */
function keep(actionSet: Live<ActionSet>): Live<ActionSet> {
  const { state, error } = actionSet.status ?? {}
  const { apiVersion, kind, metadata } = actionSet
  return { apiVersion, kind, metadata, status: { ...(state ? { state } : {}), ...(error ? { error } : {}) } }
}
