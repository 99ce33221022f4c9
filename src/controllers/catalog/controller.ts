import { names } from '../../api/names.ts'
import type { ObjectReference } from '../../api/object-reference.ts'
import type { Run } from '../../api/run.ts'
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import { appendLink, recordLink } from '../../catalog/chain-store.ts'
import type { OpenCatalog } from '../../catalog/open-catalog.ts'
import { findRecordBytes } from '../../catalog/list-records.ts'
import { kubeError } from '../../kube/errors.ts'
import type { Informer } from '../../kube/informer.ts'
import type { Kube } from '../../kube/kube.ts'
import type { Live } from '../../kube/objects.ts'
import { ownKinds } from '../../kube/own-kinds.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { isJournal } from '../../engine/project.ts'
import { keepOfRun } from '../actionset/projection.ts'
import { noteWatchFaults } from '../runtime/watch-faults.ts'
import { WorkQueue } from '../runtime/work-queue.ts'
import { buryDeleted, deletionsOf, type Deletion } from './deletions.ts'
import { recordsOf, type WrittenRecord } from './links.ts'

export interface CatalogControllerOptions {
  readonly kube: Pick<Kube, 'resource' | 'informer'>
  readonly openCatalog: OpenCatalog
  readonly clock: Clock
  readonly log: Logger
  readonly namespace: string
  /** Of actions that name none. */
  readonly defaultProfile?: ObjectReference
}

/** Waits a little, so that a crowd of backups that end together do not all ask for the place behind the same link. */
const settleMs = 200

/**
 * Links each record into the chain of its object when the action has ended, and takes away the records of what a delete action removed:
 * by the leader alone, so the chain grows in one place. A Run is marked when that was done; after a crash the unmarked ones are looked at
 * again, which meets itself.
 */
export class CatalogController {
  readonly #options: CatalogControllerOptions
  readonly #stop = new AbortController()
  readonly #queue: WorkQueue
  readonly #runs: Informer<Run>

  constructor(options: CatalogControllerOptions) {
    this.#options = options
    const { kube, clock, log, namespace } = options
    this.#queue = new WorkQueue({
      clock,
      concurrency: 2,
      reconcile: async (key, signal) => {
        await this.#reconcile(key, signal)
        return undefined
      },
      onError: (key, error, tries) =>
        log.warn({ Run: key, error: messageOf(error), attempt: tries }, 'a record could not be linked, trying again'),
    })
    this.#runs = kube.informer(ownKinds.runs, {
      namespace,
      signal: this.#stop.signal,
      labelSelector: `${names.unfinished}=false,!${names.catalogued}`,
      // Most leave nothing to catalogue: of those only that they ended is kept.
      project: (run) => (isJournal(run) && this.#hasWork(run) ? run : keepOfRun(run)),
      onError: noteWatchFaults(log, namespace),
    })
  }

  async start(): Promise<void> {
    await this.#runs.synced
    this.#runs.onChange((key, run) => {
      if (run && this.#hasWork(run)) this.#queue.addAfter(key, settleMs)
    })
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error('the operator is being stopped'))
    await this.#queue.close()
    await this.#runs.close()
  }

  #hasWork(run: Run): boolean {
    const { defaultProfile } = this.#options
    return recordsOf(run, defaultProfile).length > 0 || deletionsOf(run, defaultProfile).length > 0
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<void> {
    const { defaultProfile } = this.#options
    const run = this.#runs.getByKey(key)
    if (!run || run.metadata.labels?.[names.catalogued]) return
    for (const record of recordsOf(run, defaultProfile)) await this.#link(record, signal)
    for (const deletion of deletionsOf(run, defaultProfile)) await this.#bury(deletion, signal)
    await this.#mark(run, signal)
  }

  async #link(record: WrittenRecord, signal: AbortSignal): Promise<void> {
    const { openCatalog, log } = this.#options
    const catalog = await openCatalog(record.profile, signal)
    const bytes = await findRecordBytes(catalog.location, record.key, { signal })
    if (!bytes) return log.warn({ record: record.key }, 'a record is gone before it was linked: its backup was deleted already')
    const content = recordLink(record.id, record.key, bytes, record.endedAt)
    await appendLink({ ...catalog, object: record.object }, content, { signal })
  }

  async #bury(deletion: Deletion, signal: AbortSignal): Promise<void> {
    const { openCatalog, log } = this.#options
    const catalog = await openCatalog(deletion.profile, signal)
    const onUnreadable = (record: string, error: string): void => log.warn({ record, error }, 'a record cannot be read')
    const gone = await buryDeleted(catalog, deletion, { signal, onUnreadable })
    for (const backup of gone)
      log.info({ ActionSet: deletion.actionSet, backup }, 'a backup was deleted by hand; its record went')
  }

  async #mark({ metadata }: Live<Run>, signal: AbortSignal): Promise<void> {
    const { namespace, name, uid } = metadata
    const patch = { metadata: { uid, labels: { [names.catalogued]: 'true' } } }
    try {
      await this.#options.kube.resource(ownKinds.runs).patch({ namespace, name }, patch, { signal })
    } catch (error) {
      if (!kubeError.is(error, 'KUBE_NOT_FOUND')) throw error
    }
  }
}
