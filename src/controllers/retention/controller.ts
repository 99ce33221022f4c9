import type { ActionSet } from '../../api/actionset.ts'
import { names } from '../../api/names.ts'
import type { ObjectReference } from '../../api/object-reference.ts'
import { scheduleKind, type PrunedRepository, type Schedule } from '../../api/schedule.ts'
import { messageOf, nextOf } from '../../base/errors.ts'
import type { Catalog, OpenCatalog } from '../../catalog/open-catalog.ts'
import type { Informer } from '../../kube/informer.ts'
import type { Kube } from '../../kube/kube.ts'
import { parseKey, type Live } from '../../kube/objects.ts'
import { ownKinds } from '../../kube/own-kinds.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { hasEnded } from '../proof/outcomes.ts'
import { tell } from '../runtime/tell.ts'
import { noteWatchFaults } from '../runtime/watch-faults.ts'
import { WorkQueue, type Result } from '../runtime/work-queue.ts'
import { takeStep, writeRetention, type RetentionActDeps } from './act.ts'
import { BackupReader, type BackupsQuestion, type ScheduledReference } from './backups.ts'
import { decideRemovals, retentionStatus, type RetentionDecision, type RetentionOutcome } from './decide.ts'
import { objectsOf } from './plan.ts'
import { startPrune } from './prune.ts'
import { decideSpace, lostBy, noteLost } from './space.ts'

export interface RetentionControllerOptions extends RetentionActDeps {
  readonly kube: Pick<Kube, 'resource' | 'informer'>
  readonly openCatalog: OpenCatalog
  readonly metrics: Metrics
  readonly namespace: string
  /** Of Schedules whose action names none. */
  readonly defaultProfile?: ObjectReference
}

/** Without a change, each Schedule is looked at so often: periods end by themselves. */
const lookMs = 10 * 60_000
/** After a backup or a removal ended. */
const soonMs = 5_000

/** Removes what the policies of Schedules do not keep: by the Blueprint's delete action, then record and a word in the chain. */
export class RetentionController {
  readonly #options: RetentionControllerOptions
  readonly #stop = new AbortController()
  readonly #queue: WorkQueue
  readonly #schedules: Informer<Schedule>
  readonly #actionSets: Informer<ActionSet>
  readonly #reader = new BackupReader()

  constructor(options: RetentionControllerOptions) {
    this.#options = options
    const { kube, clock, log, namespace } = options
    const { signal } = this.#stop
    const onError = noteWatchFaults(log, namespace)
    this.#queue = new WorkQueue({
      clock,
      concurrency: 1,
      reconcile: (key, abort) => this.#reconcile(key, abort),
      onError: (key, error, tries) =>
        log.warn(
          { Schedule: key, error: messageOf(error), attempt: tries },
          'old backups could not be looked at, trying again',
        ),
    })
    this.#schedules = kube.informer(ownKinds.schedules, { namespace, signal, onError })
    this.#actionSets = kube.informer(ownKinds.actionSets, { namespace, signal, onError, labelSelector: names.retention })
  }

  async start(): Promise<void> {
    await Promise.all([this.#schedules.synced, this.#actionSets.synced])
    this.#schedules.onChange((key, after, before) => {
      if (said(after) !== said(before)) this.#queue.addAfter(key, soonMs)
    })
    this.#actionSets.onChange((_key, after, before) => {
      const schedule = (after ?? before)?.metadata.labels?.[names.retention]
      if (schedule !== undefined && after?.status?.state !== before?.status?.state)
        this.#queue.addAfter(`${this.#options.namespace}/${schedule}`, soonMs)
    })
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error('the operator is being stopped'))
    await this.#queue.close()
    await Promise.all([this.#schedules.close(), this.#actionSets.close()])
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<Result> {
    let schedule = await this.#find(key, signal)
    const profile = schedule?.spec.action?.profile ?? this.#options.defaultProfile
    if (!schedule?.spec.retention) return undefined
    if (!profile) return await this.#reportNoCatalog(schedule, signal)
    const { openCatalog, clock, namespace } = this.#options
    const place = { ...profile, namespace: profile.namespace ?? namespace }
    const catalog = await openCatalog(place, signal)
    const objects = objectsOf(schedule)
    const question = { catalog, schedule: schedule.metadata.name, objects, now: clock.now(), signal }
    const { leftovers, problems: unreadable } = await this.#reader.read(question)
    await catalog.location.deleteMany(leftovers, { signal })
    if (leftovers.length > 0) this.#reader.forget()
    const decision = await this.#decide(schedule, question)
    schedule = await this.#noteLost(schedule, decision, `${place.namespace}/${place.name ?? ''}`, signal)
    const { removed, problems: failed } = await this.#takeSteps(schedule, catalog, decision, signal)
    const space = await this.#giveBack(schedule, catalog, objects, signal)
    await this.#report(schedule, decision, { removed, problems: [...unreadable, ...failed], ...space }, signal)
    return { afterMs: nextLook(decision, space.repositories, clock.now()) }
  }

  /**
   * The Schedule as the server has it: by the rules of yesterday backups would go that are to stay. Which repositories are to be pruned stands
   * in its status alone, too.
   */
  async #find(key: string, signal: AbortSignal): Promise<Live<Schedule> | undefined> {
    if (!this.#schedules.getByKey(key)?.spec.retention) return undefined
    return await this.#options.kube.resource(ownKinds.schedules).find(parseKey(key), { signal })
  }

  /**
   * Before a backup goes, and while its removal waits for its turn, what bears on it is read anew: what of its object is in the bucket, whether it was
   * pinned, which proofs are under way.
   */
  async #decide(schedule: Live<Schedule>, question: BackupsQuestion): Promise<RetentionDecision> {
    const removals = this.#removalsOf(schedule)
    const decide = async (inProof?: ReadonlySet<string>): Promise<RetentionDecision> => {
      const { backups } = await this.#reader.read(question)
      return decideRemovals({ schedule, backups, removals, ...(inProof ? { inProof } : {}), now: question.now })
    }
    const first = await decide()
    const going = first.removals.flatMap(({ kind, backup }) => (kind === 'start' || kind === 'wait' ? [backup.objectKey] : []))
    if (going.length === 0) return first
    this.#reader.forgetOlder(question, new Set(going))
    return await decide(await this.#inProof(question.signal))
  }

  async #reportNoCatalog(schedule: Live<Schedule>, signal: AbortSignal): Promise<undefined> {
    const outcome = {
      removed: 0,
      problems: ['action.profile is not set, so there is no catalog to look into'],
      repositories: schedule.status?.retention?.repositories ?? [],
      freedBytes: 0,
    }
    await this.#report(schedule, { verdicts: [], removals: [] }, outcome, signal)
  }

  /** One removal that cannot go on keeps no other from it. */
  async #takeSteps(
    schedule: Live<Schedule>,
    catalog: Catalog,
    { removals }: RetentionDecision,
    signal: AbortSignal,
  ): Promise<Pick<RetentionOutcome, 'removed' | 'problems'>> {
    const problems: string[] = []
    let removed = 0
    for (const removal of removals) {
      try {
        if (await takeStep(this.#options, { schedule, catalog }, removal, signal)) removed += 1
      } catch (error) {
        signal.throwIfAborted()
        // What was read may be old: somebody else removed the backup meanwhile.
        this.#reader.forget()
        if (nextOf(error) !== 'stop') throw error
        problems.push(messageOf(error))
        tell(this.#options, scheduleKind, schedule, { type: 'Warning', reason: 'RemovalFailed', message: messageOf(error) })
      }
    }
    if (removed > 0) this.#reader.forget()
    return { removed, problems }
  }

  async #inProof(signal: AbortSignal): Promise<ReadonlySet<string>> {
    const { kube, namespace } = this.#options
    const { items } = await kube.resource(ownKinds.verifications).list({ namespace, signal })
    return new Set(items.filter((each) => !hasEnded(each)).map(({ spec }) => spec.record))
  }

  /** Of several attempts the last. */
  #removalsOf({ metadata }: Live<Schedule>): Map<string, ActionSet> {
    const attempt = ({ metadata: of }: ActionSet): number => Number(of.annotations?.[names.attempt] ?? '1')
    const own = this.#actionSetsOf(metadata.name).filter((each) => each.metadata.annotations?.[names.backup] !== undefined)
    const inOrder = own.toSorted((a, b) => attempt(a) - attempt(b))
    return new Map(inOrder.map((actionSet) => [actionSet.metadata.annotations?.[names.backup] ?? '', actionSet]))
  }

  #actionSetsOf(schedule: string): ActionSet[] {
    const all = this.#actionSets.list(this.#options.namespace) as unknown as ActionSet[]
    return all.filter(({ metadata }) => metadata.labels?.[names.retention] === schedule)
  }

  /** Before the catalog forgets the backups that went, the repositories they were in are in status. */
  async #noteLost(
    schedule: Live<Schedule>,
    { removals }: RetentionDecision,
    profile: string,
    signal: AbortSignal,
  ): Promise<Live<Schedule>> {
    if (schedule.spec.retention?.prune === false) return schedule
    const before = schedule.status?.retention?.repositories ?? []
    const lost = removals.flatMap((removal) => (removal.kind === 'finish' ? lostBy(removal.by, profile) : []))
    if (lost.length === 0) return schedule
    const repositories = [...noteLost(before, lost, this.#options.clock.now())]
    return await writeRetention(this.#options, schedule, { repositories }, signal)
  }

  /** Prunes what lost snapshots, one step a look. */
  async #giveBack(
    schedule: Live<Schedule>,
    catalog: Catalog,
    objects: ReadonlyMap<string, ScheduledReference>,
    signal: AbortSignal,
  ): Promise<Pick<RetentionOutcome, 'repositories' | 'freedBytes'>> {
    const now = this.#options.clock.now()
    const { repositories, due, freedBytes } = decideSpace({
      repositories: schedule.status?.retention?.repositories ?? [],
      actionSets: new Map(this.#actionSetsOf(schedule.metadata.name).map((each) => [each.metadata.name, each])),
      mayStart: schedule.spec.retention?.prune !== false,
      now,
    })
    const question = { schedule, catalog, namespaces: namespacesOf(objects), now }
    const started = new Map<PrunedRepository, PrunedRepository>()
    for (const each of due) started.set(each, await startPrune(this.#options, question, each, signal))
    return { repositories: repositories.map((each) => started.get(each) ?? each), freedBytes }
  }

  async #report(
    schedule: Live<Schedule>,
    decision: RetentionDecision,
    outcome: RetentionOutcome,
    signal: AbortSignal,
  ): Promise<void> {
    const status = retentionStatus(schedule.status?.retention, decision, outcome)
    const labels = { namespace: this.#options.namespace, schedule: schedule.metadata.name }
    this.#options.metrics.set('holdfast_retention_kept_backups', status.kept, labels)
    this.#options.metrics.set('holdfast_retention_failing_removals', status.failing, labels)
    const unpruned = outcome.repositories.filter(({ message }) => message !== '').length
    this.#options.metrics.set('holdfast_retention_unpruned_repositories', unpruned, labels)
    this.#options.metrics.set('holdfast_retention_freed_bytes', status.freedBytes ?? 0, labels)
    await writeRetention(this.#options, schedule, status, signal)
  }
}

function nextLook({ removals }: RetentionDecision, repositories: readonly PrunedRepository[], now: number): number {
  const retries = removals.flatMap((removal) =>
    removal.kind === 'wait' && removal.untilMs !== undefined ? [removal.untilMs - now] : [],
  )
  const prunes = repositories.flatMap(({ actionSet, next }) => (actionSet === undefined ? [Date.parse(next) - now] : []))
  const calledOff = removals.flatMap(({ kind }) => (kind === 'stop' ? [soonMs] : []))
  return Math.max(soonMs, Math.min(lookMs, ...retries, ...prunes, ...calledOff))
}

function namespacesOf(objects: ReadonlyMap<string, ScheduledReference>): Set<string> {
  const places = [...objects.values()].map(({ object: { kind = '', namespace, name } }) =>
    kind.toLowerCase() === 'namespace' ? name : namespace,
  )
  return new Set(places.flatMap((place) => place || []))
}

/** What of a Schedule bears on its old backups: the spec, its objects, and a new success of one of them. */
function said(schedule: Schedule | undefined): string {
  const { lastSuccess, objects = {} } = schedule?.status ?? {}
  return JSON.stringify([schedule?.spec, lastSuccess, Object.keys(objects).length])
}
