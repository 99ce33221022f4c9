import type { ActionSet } from '../../api/actionset.ts'
import { names } from '../../api/names.ts'
import type { Fence, Run } from '../../api/run.ts'
import type { EventSink } from '../../kube/events.ts'
import { actionsOf, isJournal } from '../../engine/project.ts'
import type { Live } from '../../kube/objects.ts'
import { ownKinds } from '../../kube/own-kinds.ts'
import { queueError } from '../../queue/errors.ts'
import type { OperatorDeps, OperatorSettings } from '../runtime/operator.ts'
import { noteWatchFaults } from '../runtime/watch-faults.ts'
import type { Result } from '../runtime/work-queue.ts'
import { WorkQueue } from '../runtime/work-queue.ts'
import { act, type ActDeps } from './act.ts'
import { actionSetKeyOf, Caches } from './caches.ts'
import { decide } from './decide.ts'
import { foreignIn } from './foreign-backups.ts'
import { gather } from './gather.ts'
import { removeOldActionSets } from './old-action-sets.ts'
import { removeOldRuns } from './old-runs.ts'
import type { WaitingLine } from './waiting-line.ts'
import { WrittenStatuses } from './written-statuses.ts'

export interface ActionSetControllerOptions {
  readonly deps: OperatorDeps
  readonly settings: OperatorSettings
  readonly namespace: string
  readonly events: EventSink
  readonly isGone: (fence: Fence) => boolean
  readonly line: WaitingLine
  /** What `importedBackups` of all watched namespaces gives, whoever leads them. */
  readonly imported: (signal: AbortSignal) => Promise<readonly Live<ActionSet>[]>
}

/** Drives the ActionSets of one namespace: read, compare, act on the difference. */
export class ActionSetController {
  readonly #options: ActionSetControllerOptions
  readonly #queue: WorkQueue
  readonly #caches: Caches
  readonly #act: ActDeps
  readonly #stop = new AbortController()
  #open = false
  #leaveLine: (() => void) | undefined

  constructor(options: ActionSetControllerOptions) {
    this.#options = options
    const { deps, settings, namespace, events } = options
    this.#queue = new WorkQueue({
      clock: deps.clock,
      concurrency: settings.concurrency,
      reconcile: (key, abort) => this.#reconcile(key, abort),
      onError: (key, error, tries) =>
        deps.log.warn({ ActionSet: key, error: String(error), attempt: tries }, 'reconcile failed, trying again'),
    })
    this.#caches = new Caches({
      kube: deps.kube,
      clock: deps.clock,
      namespace,
      signal: this.#stop.signal,
      onKey: (key) => {
        if (!this.#open) return
        this.#queue.add(key)
        options.line.changed()
      },
      onError: noteWatchFaults(deps.log, namespace),
      onStranger: (name) =>
        deps.log.error({ namespace, Run: name }, 'a Run has no journal and is left alone: kubectl delete run brings order'),
    })
    this.#act = {
      kube: deps.kube,
      queue: deps.queue,
      caches: this.#caches,
      events,
      clock: deps.clock,
      log: deps.log,
      statuses: new WrittenStatuses(deps.clock, settings),
      added: new Map(),
      sweepMs: settings.sweepMs,
    }
  }

  /** Nothing is decided before everything is listed. */
  async start(): Promise<void> {
    await this.#caches.synced()
    this.#open = true
    this.#leaveLine = this.#options.line.join({
      openRuns: () => this.#caches.openRuns(),
      lookAt: (run) => this.#queue.add(actionSetKeyOf(run)),
    })
    this.sweep()
  }

  /** Looks at everything that is not settled. A sweep may come before everything is listed: what is not there yet is not absent. */
  sweep(): void {
    if (!this.#open) return
    for (const key of this.#caches.unsettledKeys()) this.#queue.add(key)
    this.#forgetOldJobs()
  }

  /** The queue was away: what was added to it may be lost. */
  queueIsBack(): void {
    this.#act.added.clear()
    this.sweep()
  }

  /** Fences of actions that have not ended, to ask whether their owners live. */
  fences(): Fence[] {
    return this.#caches.openRuns().flatMap(openFences)
  }

  get namespace(): string {
    return this.#options.namespace
  }

  /** Of installations that were not taken over. Undefined before everything is listed. */
  importedBackups(): readonly Live<ActionSet>[] | undefined {
    if (!this.#open) return undefined
    return this.#caches.actionSets.list(this.#options.namespace).filter((each) => foreignIn(each) !== undefined)
  }

  hasOpenRuns(): boolean {
    return this.#caches.hasUnfinished
  }

  /** Asks the server which Runs are open, and who has them: a watch may be silent without our knowing. */
  async readOpenRuns(): Promise<void> {
    if (!this.#open) return
    const { deps, namespace } = this.#options
    const labelSelector = `${names.unfinished}=true`
    const { items } = await deps.kube.resource(ownKinds.runs).list({ namespace, labelSelector, signal: this.#stop.signal })
    for (const run of items.filter(isJournal)) this.#caches.readRun(run)
  }

  /** Looks at the Runs of owners that are gone. */
  lookAtOrphans(): void {
    if (!this.#open) return
    for (const run of this.#caches.openRuns()) {
      if (openFences(run).some((fence) => this.#options.isGone(fence))) this.#queue.add(actionSetKeyOf(run))
    }
  }

  /** Asks for Runs that the watch owes us, removes ActionSets whose time is over, and Runs that ended long ago. */
  async tidy(): Promise<void> {
    if (!this.#open) return
    const { deps, settings } = this.#options
    const { removal: policy } = settings
    await this.#caches.askForUnseen(this.#stop.signal)
    const gone = await removeOldActionSets(deps.kube, this.#caches, {
      policy,
      nowMs: deps.clock.now(),
      signal: this.#stop.signal,
    })
    if (gone > 0) deps.log.info({ namespace: this.#options.namespace, count: gone }, 'old ActionSets removed')
    const before = deps.clock.now() - settings.keepRunsMs
    const count = await removeOldRuns(deps.kube, this.#caches, before, this.#stop.signal)
    if (count > 0) deps.log.info({ namespace: this.#options.namespace, count }, 'old Runs removed')
  }

  async close(): Promise<void> {
    this.#open = false
    this.#leaveLine?.()
    this.#stop.abort(new Error('the controller is being stopped'))
    await this.#queue.close()
    await this.#caches.close()
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const { deps, isGone, line, imported } = this.#options
    const { kube, findFunction, clock } = deps
    const view = await gather({ kube, caches: this.#caches, findFunction, isGone, line, clock, imported }, key, signal)
    if (!view) return undefined
    if (!view.actionSet) this.#act.statuses.forget(key)
    let result: Result
    let queueFault: unknown
    for (const change of decide(view)) {
      signal.throwIfAborted()
      if (change.kind === 'add-job' && queueFault !== undefined) continue
      try {
        const afterwards = await act(this.#act, view, change, signal)
        if (!afterwards) continue
        if ('again' in afterwards) this.#queue.add(key)
        else if (!result || afterwards.afterMs < result.afterMs) result = afterwards
      } catch (error) {
        if (!queueError.is(error, 'QUEUE_UNAVAILABLE')) throw error
        queueFault = error
      }
    }
    if (queueFault === undefined) return result
    // Thrown after the rest: a queue that is away keeps no status from being written.
    if (result) this.#queue.addAfter(key, result.afterMs)
    throw queueFault
  }

  #forgetOldJobs(): void {
    const { clock } = this.#options.deps
    const old = clock.now() - 4 * this.#options.settings.sweepMs
    for (const [id, at] of this.#act.added) if (at < old) this.#act.added.delete(id)
  }
}

function openFences(run: Run): Fence[] {
  return actionsOf(run).flatMap(({ state, fence }) =>
    fence.owner !== '' && (state === 'pending' || state === 'running') ? [fence] : [],
  )
}
