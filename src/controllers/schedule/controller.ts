import type { ActionSet } from '../../api/actionset.ts'
import { names } from '../../api/names.ts'
import type { Schedule } from '../../api/schedule.ts'
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
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
import { decide } from './decide.ts'
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
    const { meter, clock, engineNamespace, namespace } = this.#options
    const schedule = this.#schedules.getByKey(key)
    if (!schedule) {
      meter.forget(parseKey(key).name)
      return undefined
    }
    const candidates = await this.#candidates.of(kindsOf(schedule))
    await this.#made.check(signal)
    const decision = decide({
      schedule,
      targets: targetsOf(schedule, candidates, engineNamespace),
      findActionSet: (name) => this.#actionSets.get(namespace, name) ?? this.#made.get(name),
      findNewest: (object) => this.#newest.get(`${schedule.metadata.name} ${object}`),
      now: clock.now(),
    })
    meter.take(schedule, decision)
    const deps = { ...this.#options, onCreated: (actionSet: Live<ActionSet>) => this.#remember(actionSet) }
    if (!(await act(deps, schedule, decision, signal))) return { afterMs: againMs }
    return lookIn(decision.next === undefined ? undefined : decision.next - clock.now())
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
