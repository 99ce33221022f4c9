import { names } from '../api/names.ts'
import type { Run } from '../api/run.ts'
import { messageOf } from '../base/errors.ts'
import type { Informer } from '../kube/informer.ts'
import type { Kube } from '../kube/kube.ts'
import { ownKinds } from '../kube/own-kinds.ts'
import type { Logger } from '../telemetry/logger.ts'
import { isJournal } from './project.ts'

export interface CancelledRunsOptions {
  readonly kube: Pick<Kube, 'informer' | 'resource'>
  readonly namespaces: readonly string[]
  readonly signal: AbortSignal
  readonly log: Logger
  /** Called for each Run that is to be cancelled, as often as it is seen. */
  readonly onCancelled: (run: Run) => void
}

/** Which Runs somebody wants to end. Their watch says so at once; `look` says it too, if the watch should be silent. */
export class CancelledRuns {
  readonly #options: CancelledRunsOptions
  readonly #informers: readonly Informer<Run>[]

  constructor(options: CancelledRunsOptions) {
    this.#options = options
    const { kube, namespaces, signal, onCancelled } = options
    const labelSelector = `${names.cancel}=true`
    const onError = (error: unknown): void =>
      options.log.warn({ error: messageOf(error) }, 'watch of Runs interrupted, it is being repaired')
    this.#informers = namespaces.map((namespace) => kube.informer(ownKinds.runs, { namespace, labelSelector, signal, onError }))
    for (const informer of this.#informers) informer.onChange((_key, run) => run && isJournal(run) && onCancelled(run))
  }

  async synced(): Promise<void> {
    await Promise.all(this.#informers.map((informer) => informer.synced))
  }

  /** Asks the server, from its cache. Never rejects. */
  async look(): Promise<void> {
    const { kube, namespaces, signal, log, onCancelled } = this.#options
    const labelSelector = `${names.cancel}=true,${names.unfinished}=true`
    for (const namespace of namespaces) {
      if (signal.aborted) return
      try {
        const call = { namespace, labelSelector, signal, cached: true, retry: false, timeoutMs: 4_000 }
        const { items } = await kube.resource(ownKinds.runs).list(call)
        for (const run of items.filter(isJournal)) onCancelled(run)
      } catch (error) {
        if (!signal.aborted) log.debug({ error: String(error) }, 'Runs to cancel could not be listed')
      }
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#informers.map((informer) => informer.close()))
  }
}
