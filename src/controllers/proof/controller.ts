import { names } from '../../api/names.ts'
import type { ObjectReference } from '../../api/object-reference.ts'
import type { Schedule } from '../../api/schedule.ts'
import type { Verification } from '../../api/verification.ts'
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { OpenCatalog } from '../../catalog/open-catalog.ts'
import { readOwned } from '../../catalog/takeover.ts'
import type { EventSink } from '../../kube/events.ts'
import type { Informer } from '../../kube/informer.ts'
import type { Kube } from '../../kube/kube.ts'
import { parseKey, type Live } from '../../kube/objects.ts'
import { ownKinds } from '../../kube/own-kinds.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { Unseen } from '../runtime/unseen.ts'
import { noteWatchFaults } from '../runtime/watch-faults.ts'
import { lookIn, WorkQueue, type Result } from '../runtime/work-queue.ts'
import { makeRound, writeProofs, type FindBackup, type ProofActDeps } from './act.ts'
import { decideProofs, type ProofDecision, type ProofStatus } from './decide.ts'
import { findNewestBackup } from './newest-backup.ts'

export interface ProofControllerOptions {
  readonly kube: Pick<Kube, 'resource' | 'informer'>
  readonly openCatalog: OpenCatalog
  readonly events: EventSink
  readonly clock: Clock
  readonly log: Logger
  readonly namespace: string
  /** Of Schedules whose action names none. */
  readonly defaultProfile?: ObjectReference
}

/** Changes come in crowds: a Schedule's status at the start of its objects, a Verification's at each step. */
const changesSettleMs = 1_000
/** Until the watch shows a Schedule that changed while it was acted on. */
const againMs = 200

/**
 * Makes Verifications at the times that Schedules name, and tells in their status how they ended. Apart from the Schedules' own controller,
 * since it asks the bucket: one that does not answer must keep no backup from being started.
 */
export class ProofController {
  readonly #options: ProofControllerOptions
  readonly #stop = new AbortController()
  readonly #queue: WorkQueue
  readonly #schedules: Informer<Schedule>
  readonly #verifications: Informer<Verification>
  /** Verifications that we made and that the watch has not shown yet. */
  readonly #made: Unseen<Verification>

  constructor(options: ProofControllerOptions) {
    this.#options = options
    const { kube, clock, log, namespace } = options
    const { signal } = this.#stop
    const onError = noteWatchFaults(log, namespace)
    this.#queue = new WorkQueue({
      clock,
      concurrency: 2,
      reconcile: (key, abort) => this.#reconcile(key, abort),
      onError: (key, error, tries) =>
        log.warn({ Schedule: key, error: messageOf(error), attempt: tries }, 'backups could not be proven, trying again'),
    })
    this.#made = new Unseen(kube.resource(ownKinds.verifications), clock)
    this.#schedules = kube.informer(ownKinds.schedules, { namespace, signal, onError })
    this.#verifications = kube.informer(ownKinds.verifications, {
      namespace,
      signal,
      onError,
      labelSelector: names.schedule,
    })
  }

  async start(): Promise<void> {
    await Promise.all([this.#schedules.synced, this.#verifications.synced])
    this.#schedules.onChange((key) => this.#queue.addAfter(key, changesSettleMs))
    this.#verifications.onChange((_key, after, before) => this.#changed(after, before))
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error('the operator is being stopped'))
    await this.#queue.close()
    await Promise.all([this.#schedules.close(), this.#verifications.close()])
  }

  /** Only that they come and how they end is of interest. */
  #changed(after: Live<Verification> | undefined, before: Live<Verification> | undefined): void {
    const schedule = (after ?? before)?.metadata.labels?.[names.schedule]
    if (after) this.#made.seen(after.metadata.name)
    if (schedule === undefined || (before && after && before.status?.state === after.status?.state)) return
    this.#queue.addAfter(`${this.#options.namespace}/${schedule}`, changesSettleMs)
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const { clock, kube } = this.#options
    let schedule = this.#schedules.getByKey(key)
    if (!isToProve(schedule)) return undefined
    await this.#made.check(signal)
    if (this.#decide(schedule).round) {
      // A test restore is no small thing: it may have been called off, and our watch may not have said so yet.
      schedule = await kube.resource(ownKinds.schedules).find(parseKey(key), { signal })
      if (!isToProve(schedule)) return lookIn(Infinity)
    }
    const decision = this.#decide(schedule)
    const deps = { ...this.#options, onCreated: (made: Live<Verification>) => this.#remember(made) }
    const { after, failure } = await this.#carryOut(deps, schedule, decision, signal)
    if (!(await writeProofs(deps, schedule, decision, after, signal))) return { afterMs: againMs }
    if (failure !== undefined) throw failure
    return lookIn(decision.next === undefined ? undefined : decision.next - clock.now())
  }

  #decide(schedule: Live<Schedule>): ProofDecision {
    return decideProofs({ schedule, verifications: this.#verificationsOf(schedule), now: this.#options.clock.now() })
  }

  /** What could not be made leaves its slot due, and status says why. */
  async #carryOut(
    deps: ProofActDeps,
    schedule: Live<Schedule>,
    { round, after }: ProofDecision,
    signal: AbortSignal,
  ): Promise<{ readonly after: ProofStatus; readonly failure?: unknown }> {
    if (!round) return { after }
    const { defaultProfile } = this.#options
    const profile = schedule.spec.action?.profile ?? defaultProfile
    if (!profile) return { after: { ...after, message: 'action.profile is not set, so there is no catalog to look into' } }
    try {
      const made = await makeRound(deps, schedule, round, profile, this.#finder(schedule, profile, signal), signal)
      const nothing = made === 0 && round.missing > 0
      return {
        after: {
          ...after,
          running: after.running + made,
          message: nothing ? 'the catalog has no backup of this Schedule for any of its objects' : '',
        },
      }
    } catch (failure) {
      signal.throwIfAborted()
      const handled = schedule.status?.verification?.handled ?? after.since
      return { after: { ...after, handled, message: messageOf(failure) }, failure }
    }
  }

  #finder(schedule: Live<Schedule>, profile: ObjectReference, signal: AbortSignal): FindBackup {
    const { openCatalog, namespace } = this.#options
    const open = async (): Promise<Omit<Parameters<typeof findNewestBackup>[0], 'object'>> => {
      const catalog = await openCatalog({ ...profile, namespace: profile.namespace ?? namespace }, signal)
      const installations = await readOwned(catalog, { signal })
      return { catalog, installations, schedule: schedule.metadata.name }
    }
    let opened: ReturnType<typeof open> | undefined
    return async (objectKey) => {
      const [objectNamespace = '', kind = '', name = ''] = objectKey.split('/')
      const object = { kind, namespace: objectNamespace, name }
      return await findNewestBackup({ ...(await (opened ??= open())), object }, signal)
    }
  }

  #verificationsOf({ metadata }: Live<Schedule>): Verification[] {
    const seen = this.#verifications.list(this.#options.namespace)
    const shown = new Set(seen.map((each) => each.metadata.name))
    const unseen = this.#made.list().filter((each) => !shown.has(each.metadata.name))
    return [...seen, ...unseen].filter((each) => each.metadata.labels?.[names.schedule] === metadata.name)
  }

  #remember(verification: Live<Verification>): void {
    if (!this.#verifications.get(this.#options.namespace, verification.metadata.name)) this.#made.made(verification)
  }
}

/** Which objects it has is for the Schedules' own controller to say first. */
function isToProve(schedule: Live<Schedule> | undefined): schedule is Live<Schedule> {
  return schedule?.spec.verification !== undefined && schedule.status?.objects !== undefined
}
