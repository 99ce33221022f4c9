import type { ActionSet } from '../../api/actionset.ts'
import { names } from '../../api/names.ts'
import type { Verification } from '../../api/verification.ts'
import { messageOf } from '../../base/errors.ts'
import type { Informer } from '../../kube/informer.ts'
import type { Live } from '../../kube/objects.ts'
import { ownKinds } from '../../kube/own-kinds.ts'
import { noteWatchFaults } from '../runtime/watch-faults.ts'
import { lookIn, WorkQueue, type Result } from '../runtime/work-queue.ts'
import { act, type ActDeps } from './act.ts'
import { decide, type Decision } from './decide.ts'
import { removeOrphans } from './orphans.ts'

export interface VerificationControllerOptions extends ActDeps {
  readonly namespace: string
  /** Proofs under way at a time, in this namespace. */
  readonly atOnce: number
}

const sweepMs = 60_000
const sweepKey = 'orphans'

/** Proves backups: one Verification after the other, each to its end, whatever happens to this process meanwhile. */
export class VerificationController {
  readonly #options: VerificationControllerOptions
  readonly #stop = new AbortController()
  readonly #queue: WorkQueue
  readonly #sweeps: WorkQueue
  readonly #verifications: Informer<Verification>
  readonly #actionSets: Informer<ActionSet>
  /** What is worked on right now, by key. */
  readonly #work = new Map<string, AbortController>()
  /** UIDs of those that we began and that have not ended: the watch is a little late. */
  readonly #underWay = new Set<string>()

  constructor(options: VerificationControllerOptions) {
    this.#options = options
    const { kube, clock, log, namespace, atOnce } = options
    const { signal } = this.#stop
    const onError = noteWatchFaults(log, namespace)
    this.#queue = new WorkQueue({
      clock,
      concurrency: Math.max(1, atOnce),
      reconcile: (key, abort) => this.#reconcile(key, abort),
      onError: (key, error, tries) => {
        if (this.#verifications.getByKey(key))
          log.warn({ Verification: key, error: messageOf(error), attempt: tries }, 'proof interrupted, trying again')
      },
    })
    this.#sweeps = new WorkQueue({
      clock,
      concurrency: 1,
      reconcile: (_key, abort) => this.#sweep(abort),
      onError: (_key, error, tries) =>
        log.warn({ error: messageOf(error), attempt: tries }, 'left namespaces of proofs could not be removed, trying again'),
    })
    this.#verifications = kube.informer(ownKinds.verifications, { namespace, signal, onError })
    this.#actionSets = kube.informer(ownKinds.actionSets, { namespace, signal, onError, labelSelector: names.verification })
  }

  async start(): Promise<void> {
    await Promise.all([this.#verifications.synced, this.#actionSets.synced])
    this.#verifications.onChange((key, after, before) => this.#changed(key, after, before))
    this.#actionSets.onChange((_key, after, before) => {
      if (after?.status?.state !== before?.status?.state) this.#lookAt(({ status }) => status?.state === 'running')
    })
    this.#sweeps.add(sweepKey)
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error('the operator is being stopped'))
    await Promise.all([this.#queue.close(), this.#sweeps.close()])
    await Promise.all([this.#verifications.close(), this.#actionSets.close()])
  }

  #changed(key: string, after: Live<Verification> | undefined, before: Live<Verification> | undefined): void {
    if (!after || after.metadata.deletionTimestamp !== undefined) {
      this.#work.get(key)?.abort(new Error('the Verification was removed'))
      if (before) this.#underWay.delete(before.metadata.uid)
      this.#sweeps.add(sweepKey)
    } else this.#queue.add(key)
    // The next one's turn has come, or an older one of the object is not the newest any more.
    if (!after || after.status?.state !== before?.status?.state) this.#lookAt(() => true)
  }

  #lookAt(which: (verification: Live<Verification>) => boolean): void {
    for (const each of this.#verifications.list()) if (which(each)) this.#queue.add(keyOf(each))
  }

  async #reconcile(key: string, closing: AbortSignal): Promise<Result> {
    const own = new AbortController()
    const signal = AbortSignal.any([closing, own.signal])
    this.#work.set(key, own)
    try {
      let current = await this.#find(key, signal)
      while (current && current.metadata.deletionTimestamp === undefined) {
        const decision = await this.#decide(current, signal)
        if (decision.kind === 'rest') return lookIn(decision.afterMs)
        if (decision.kind === 'remove') {
          await this.#remove(current, signal)
          return undefined
        }
        this.#underWay.add(current.metadata.uid)
        current = await act(this.#options, current, decision, signal)
        if (hasEnded(current)) this.#underWay.delete(current.metadata.uid)
      }
      return undefined
    } finally {
      this.#work.delete(key)
      own.abort(new Error('finished'))
    }
  }

  /** One that runs is asked from the server: an old picture of it would look like an interruption. */
  async #find(key: string, signal: AbortSignal): Promise<Live<Verification> | undefined> {
    const cached = this.#verifications.getByKey(key)
    if (cached?.status?.state !== 'running') return cached
    const { namespace, name } = cached.metadata
    return await this.#options.kube.resource(ownKinds.verifications).find({ namespace, name }, { signal })
  }

  async #decide(verification: Live<Verification>, signal: AbortSignal): Promise<Decision> {
    const { clock, atOnce } = this.#options
    const { uid } = verification.metadata
    const actionSet = await this.#actionSetOf(verification, signal)
    const others = this.#verifications.list().filter(({ metadata }) => metadata.uid !== uid)
    return decide({
      verification,
      actionSet,
      ahead: others.filter((other) => this.#isAhead(other, verification)).length,
      atOnce,
      isNewest: !others.some((other) => isLater(other, verification)),
      now: clock.now(),
    })
  }

  /** Asked from the server: the watch may still show what a Verification of this name that is gone has done, and a proof would be had for nothing. */
  async #actionSetOf({ metadata, status }: Live<Verification>, signal: AbortSignal): Promise<ActionSet | undefined> {
    if (status?.actionSet === undefined) return undefined
    const key = { namespace: metadata.namespace, name: status.actionSet }
    const found = await this.#options.kube.resource(ownKinds.actionSets).find(key, { signal })
    return found?.metadata.annotations?.[names.verificationUid] === metadata.uid ? found : undefined
  }

  #isAhead(other: Live<Verification>, verification: Live<Verification>): boolean {
    if (hasEnded(other) || other.metadata.deletionTimestamp !== undefined) return false
    if (other.status?.state === 'running' || this.#underWay.has(other.metadata.uid)) return true
    return ageOf(other) < ageOf(verification)
  }

  async #remove({ metadata }: Live<Verification>, signal: AbortSignal): Promise<void> {
    const { kube, log } = this.#options
    const { namespace, name, uid, resourceVersion } = metadata
    // Somebody may have given it more time since.
    await kube.resource(ownKinds.verifications).delete({ namespace, name }, { uid, resourceVersion, signal })
    log.info({ Verification: name }, 'removed, since its time to live is over')
  }

  async #sweep(signal: AbortSignal): Promise<Result> {
    const problems = await removeOrphans(this.#options, this.#options.namespace, signal)
    for (const problem of problems) this.#options.log.warn({ problem }, 'a namespace of a proof cannot be removed')
    return { afterMs: sweepMs }
  }
}

function keyOf({ metadata }: Live<Verification>): string {
  return `${metadata.namespace}/${metadata.name}`
}

/** Sorts by age, and by name where that is the same. */
function ageOf({ metadata }: Live<Verification>): string {
  return `${metadata.creationTimestamp} ${metadata.name}`
}

function hasEnded({ status }: Pick<Verification, 'status'>): boolean {
  return status?.state === 'complete' || status?.state === 'failed'
}

/** Of the same object, ended, and later. */
function isLater(other: Live<Verification>, { spec, status }: Live<Verification>): boolean {
  const about = ({ object = {}, profile }: Verification['spec']): string =>
    JSON.stringify([profile.namespace, profile.name, object.kind, object.namespace, object.name])
  return hasEnded(other) && about(other.spec) === about(spec) && (other.status?.endedAt ?? '') > (status?.endedAt ?? '')
}
