import type { ActionSet } from '../../api/actionset.ts'
import { names } from '../../api/names.ts'
import type { ObjectReference } from '../../api/object-reference.ts'
import type { Schedule } from '../../api/schedule.ts'
import { messageOf, nextOf } from '../../base/errors.ts'
import type { OpenCatalog } from '../../catalog/open-catalog.ts'
import type { Informer } from '../../kube/informer.ts'
import type { Kube } from '../../kube/kube.ts'
import type { Live } from '../../kube/objects.ts'
import { ownKinds } from '../../kube/own-kinds.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { WorkQueue, type Result } from '../runtime/work-queue.ts'
import { takeStep, tell, writeRetention, type RetentionActDeps } from './act.ts'
import { BackupReader } from './backups.ts'
import { decideRemovals, retentionStatus, type RetentionDecision } from './decide.ts'
import { objectsOf } from './plan.ts'

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
    const onError = (error: unknown): void =>
      log.warn({ namespace, error: messageOf(error) }, 'watch interrupted, it is being repaired')
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
    const schedule = this.#schedules.getByKey(key)
    const profile = schedule?.spec.action?.profile ?? this.#options.defaultProfile
    if (!schedule?.spec.retention) return undefined
    if (!profile) {
      await this.#report(
        schedule,
        { verdicts: [], removals: [] },
        0,
        ['action.profile is not set, so there is no catalog to look into'],
        signal,
      )
      return undefined
    }
    const { openCatalog, clock, namespace } = this.#options
    const catalog = await openCatalog({ ...profile, namespace: profile.namespace ?? namespace }, signal)
    const question = { catalog, schedule: schedule.metadata.name, objects: objectsOf(schedule), now: clock.now(), signal }
    const { backups, leftovers, problems: unreadable } = await this.#reader.read(question)
    const problems = [...unreadable]
    await catalog.location.deleteMany(leftovers, { signal })
    if (leftovers.length > 0) this.#reader.forget()
    const decision = decideRemovals({ schedule, backups, removals: this.#removalsOf(schedule), now: clock.now() })
    let removed = 0
    for (const removal of decision.removals) {
      try {
        if (await takeStep(this.#options, { schedule, catalog }, removal, signal)) removed += 1
      } catch (error) {
        signal.throwIfAborted()
        // What was read may be old: somebody else removed the backup meanwhile.
        this.#reader.forget()
        if (nextOf(error) !== 'stop') throw error
        problems.push(messageOf(error))
        tell(this.#options, schedule, { type: 'Warning', reason: 'RemovalFailed', message: messageOf(error) })
      }
    }
    if (removed > 0) this.#reader.forget()
    await this.#report(schedule, decision, removed, problems, signal)
    return { afterMs: nextLook(decision, clock.now()) }
  }

  /** Of several attempts the last. */
  #removalsOf({ metadata }: Live<Schedule>): Map<string, ActionSet> {
    const attempt = ({ metadata: of }: ActionSet): number => Number(of.annotations?.[names.attempt] ?? '1')
    const own = this.#actionSets
      .list(this.#options.namespace)
      .filter((each) => each.metadata.labels?.[names.retention] === metadata.name)
    const inOrder = (own as unknown as ActionSet[]).toSorted((a, b) => attempt(a) - attempt(b))
    return new Map(inOrder.map((actionSet) => [actionSet.metadata.annotations?.[names.backup] ?? '', actionSet]))
  }

  async #report(
    schedule: Live<Schedule>,
    decision: RetentionDecision,
    removed: number,
    problems: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    const status = retentionStatus(schedule.status?.retention, decision, { removed, problems })
    const labels = { namespace: this.#options.namespace, schedule: schedule.metadata.name }
    this.#options.metrics.set('holdfast_retention_kept_backups', status.kept, labels)
    this.#options.metrics.set('holdfast_retention_failing_removals', status.failing, labels)
    await writeRetention(this.#options, schedule, status, signal)
  }
}

function nextLook({ removals }: RetentionDecision, now: number): number {
  const retries = removals.flatMap((removal) =>
    removal.kind === 'wait' && removal.untilMs !== undefined ? [removal.untilMs - now] : [],
  )
  return Math.max(soonMs, Math.min(lookMs, ...retries))
}

/** What of a Schedule bears on its old backups: the spec, its objects, and a new success of one of them. */
function said(schedule: Schedule | undefined): string {
  const { lastSuccess, objects = {} } = schedule?.status ?? {}
  return JSON.stringify([schedule?.spec, lastSuccess, Object.keys(objects).length])
}
