import type { CatalogImport, CatalogImportStatus } from '../../api/catalog-import.ts'
import { catalogImportKind } from '../../api/catalog-import.ts'
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import { kubeError } from '../../kube/errors.ts'
import type { EventNote, EventSink } from '../../kube/events.ts'
import type { Informer } from '../../kube/informer.ts'
import type { Kube } from '../../kube/kube.ts'
import { parseKey, type Live } from '../../kube/objects.ts'
import { ownKinds } from '../../kube/own-kinds.ts'
import { runImport } from '../../recovery/import-catalog.ts'
import type { RecoveryPlace } from '../../recovery/place.ts'
import { prepareImport } from '../../recovery/prepare-import.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { tell } from '../runtime/tell.ts'
import { noteWatchFaults } from '../runtime/watch-faults.ts'
import { WorkQueue, type Result } from '../runtime/work-queue.ts'
import { couldNotLook, decide, doneStatus, lacksKey, outOfPlace, runningStatus, type Try } from './decide.ts'

/** The location of a Profile, with the recovery keys that are in the cluster now; without any when there is none, and none is made. */
export type OpenPlace = (
  profile: { readonly name: string; readonly namespace: string },
  signal: AbortSignal,
) => Promise<RecoveryPlace>

export interface CatalogImportControllerOptions {
  readonly kube: Pick<Kube, 'resource' | 'informer'>
  readonly openPlace: OpenPlace
  readonly events: EventSink
  readonly clock: Clock
  readonly log: Logger
  readonly namespace: string
  readonly engineNamespace: string
  readonly installation: string
}

/** Brings catalogs into the cluster, as `holdfast dr import` does: level-driven, so a try that was broken off is done again and meets itself. */
export class CatalogImportController {
  readonly #options: CatalogImportControllerOptions
  readonly #stop = new AbortController()
  readonly #queue: WorkQueue
  readonly #imports: Informer<CatalogImport>

  constructor(options: CatalogImportControllerOptions) {
    this.#options = options
    const { kube, clock, log, namespace } = options
    this.#queue = new WorkQueue({
      clock,
      // A catalog is read into memory.
      concurrency: 1,
      reconcile: (key, signal) => this.#reconcile(key, signal),
      onError: (key, error, tries) =>
        log.warn({ CatalogImport: key, error: messageOf(error), attempt: tries }, 'import failed, trying again'),
    })
    this.#imports = kube.informer(ownKinds.catalogImports, {
      namespace,
      signal: this.#stop.signal,
      onError: noteWatchFaults(log, namespace),
    })
  }

  async start(): Promise<void> {
    await this.#imports.synced
    this.#imports.onChange((key, object) => {
      if (object) this.#queue.add(key)
    })
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error('the operator is being stopped'))
    await this.#queue.close()
    await this.#imports.close()
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const { clock } = this.#options
    const object = await this.#find(key, signal)
    if (!object || object.metadata.deletionTimestamp) return undefined
    const step = decide(object, clock.now())
    if (step.kind === 'nothing') return undefined
    if (step.kind === 'later') return { afterMs: step.atMs - clock.now() }
    const startedMs = clock.now()
    const status = await this.#import(object, { spec: object.spec, attempt: step.attempt, startedMs, nowMs: startedMs }, signal)
    await this.#write(object, status, signal)
    this.#tell(object, status)
    return status.nextAt === undefined ? undefined : { afterMs: Math.max(0, Date.parse(status.nextAt) - clock.now()) }
  }

  /**
   * As the server has it when there is something to do: the watch may not have shown what we wrote last, and everything would be done once more, nor
   * that somebody wants something else by now.
   */
  async #find(key: string, signal: AbortSignal): Promise<Live<CatalogImport> | undefined> {
    const { clock, kube } = this.#options
    const cached = this.#imports.getByKey(key)
    if (!cached || decide(cached, clock.now()).kind !== 'import') return cached
    return await kube.resource(ownKinds.catalogImports).find(parseKey(key), { signal })
  }

  async #import(object: Live<CatalogImport>, one: Try, signal: AbortSignal): Promise<CatalogImportStatus> {
    const { kube, openPlace, clock, namespace, engineNamespace, installation } = this.#options
    if (namespace !== engineNamespace) return outOfPlace(one, engineNamespace)
    const { dryRun = false, schedules = true, selector } = object.spec
    const profile = { name: object.spec.profile.name, namespace: object.spec.profile.namespace ?? namespace }
    try {
      const place = await openPlace(profile, signal)
      if (place.keys.length === 0) return lacksKey(one)
      if (object.status?.state !== 'running') await this.#write(object, runningStatus(one), signal)
      const request = { kube, namespace, profile, installation, schedules, signal, ...(selector ? { selector } : {}) }
      const prepared = await prepareImport(place, request)
      const result = dryRun ? undefined : await runImport(prepared.target, prepared.plan)
      return doneStatus({ ...one, nowMs: clock.now() }, prepared, result)
    } catch (error) {
      signal.throwIfAborted()
      // No Profile yet, a store that does not answer, a takeover that somebody forged: said, and looked at again.
      return couldNotLook({ ...one, nowMs: clock.now() }, messageOf(error))
    }
  }

  /** A CatalogImport that went away or was changed meanwhile is looked at anew. */
  async #write({ metadata }: Live<CatalogImport>, status: CatalogImportStatus, signal: AbortSignal): Promise<void> {
    const { namespace, name, uid } = metadata
    const patch = [
      { op: 'test', path: '/metadata/uid', value: uid },
      { op: 'add', path: '/status', value: status },
    ]
    try {
      const imports = this.#options.kube.resource(ownKinds.catalogImports)
      await imports.patch({ namespace, name }, patch, { type: 'json', signal })
    } catch (error) {
      if (!kubeError.is(error, 'KUBE_NOT_FOUND', 'KUBE_INVALID', 'KUBE_CONFLICT')) throw error
      const now = await this.#options.kube.resource(ownKinds.catalogImports).find({ namespace, name }, { signal })
      if (now?.metadata.uid === uid) throw error
    }
  }

  #tell({ metadata, status: before }: Live<CatalogImport>, status: CatalogImportStatus): void {
    const { state, message = '', created } = status
    const text = created
      ? `${message}: ${created.blueprints} Blueprints, ${created.actionSets} ActionSets, ${created.schedules} Schedules; ${status.present ?? 0} were there`
      : message
    const note: EventNote =
      state === 'complete'
        ? { type: 'Normal', reason: 'Imported', message: text }
        : { type: 'Warning', reason: state === 'waiting' ? 'ImportWaits' : 'ImportIncomplete', message: text }
    // What it waits for is said once.
    if (before?.state === state && before?.message === message) return
    tell(this.#options, catalogImportKind, { metadata }, note)
  }
}
