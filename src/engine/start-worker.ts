import { actionSetKind } from '../api/actionset.ts'
import { blueprintKind } from '../api/blueprint.ts'
import { apiVersionOf } from '../api/kind.ts'
import { names } from '../api/names.ts'
import type { Run } from '../api/run.ts'
import { backoffMs } from '../base/backoff.ts'
import type { EventSink } from '../kube/events.ts'
import { ownKinds } from '../kube/own-kinds.ts'
import { CancelledRuns } from './cancelled-runs.ts'
import { runError } from './errors.ts'
import type { Journal } from './journal.ts'
import type { Note } from './machine.ts'
import { isEnded } from './machine.ts'
import { areObjectsFree } from './object-claims.ts'
import { actionsOf, isJournal } from './project.ts'
import { hasLaunched, openRunOf } from './queue-entry.ts'
import { decideQueue } from './queue-policy.ts'
import { runAction } from './run-action.ts'
import { claimable, isFree, isLeftBehind, isHeld, isParked } from './turn.ts'
import { WorkerLease } from './worker-lease.ts'
import type { TakenJob, TakenJobs, Worker, WorkerDeps, WorkerSettings } from './worker.ts'

const defaults: WorkerSettings = {
  concurrency: 16,
  phaseTimeoutMs: 12 * 3_600_000,
  heartbeatMs: 2_000,
  progressMs: 2_000,
  journalBudgetMs: 3_600_000,
  drainMs: 12_000,
  graceMs: 15_000,
}

/** Takes jobs and runs their actions until it is closed. */
export function startWorker(deps: WorkerDeps): Worker {
  const worker = new RunningWorker(deps)
  const ready = worker.start()
  // Whoever waits for `ready` gets the failure; nobody waiting must not end the process.
  ready.catch(() => undefined)
  worker.done.catch(() => undefined)
  return { ready, done: worker.done, close: () => worker.close() }
}

interface InWork {
  readonly cancel: AbortController
  readonly done: Promise<void>
  journal?: Journal
}

/** How often Runs are looked through while the queue cannot be reached, and for cancels that a silent watch did not show. */
const fallbackMs = 5_000
const closeMs = 20_000

class RunningWorker {
  readonly done: Promise<void>
  readonly #end = Promise.withResolvers<void>()
  readonly #deps: WorkerDeps
  readonly #settings: WorkerSettings
  readonly #shutdown = new AbortController()
  readonly #lateShutdown = new AbortController()
  readonly #inWork = new Map<string, InWork>()
  readonly #events: EventSink
  readonly #lease: WorkerLease
  #cancels: CancelledRuns | undefined
  #consumer: TakenJobs | undefined

  constructor(deps: WorkerDeps) {
    this.#deps = deps
    this.done = this.#end.promise
    this.#settings = { ...defaults, ...deps.settings }
    this.#events = deps.kube.eventSink('holdfast-worker')
    this.#lease = new WorkerLease({
      kube: deps.kube,
      namespace: deps.engine.namespace,
      worker: deps.worker,
      beatMs: this.#settings.heartbeatMs,
      clock: deps.clock,
      log: deps.log,
      onGap: () => this.#verifyAll(),
      onReplaced: (holder) => this.#replaced(holder),
    })
  }

  async start(): Promise<void> {
    const { kube, jobs, watchNamespaces, log } = this.#deps
    await this.#lease.start()
    this.#cancels = new CancelledRuns({
      kube,
      namespaces: watchNamespaces,
      signal: this.#shutdown.signal,
      log,
      onCancelled: (run) => this.#cancelRun(run),
    })
    await this.#cancels.synced()
    await this.#takeFromRuns('own')
    this.#consumer = jobs.take((job) => this.#takeJob(job), { concurrency: this.#settings.concurrency })
    void this.#watchQueue()
  }

  async close(): Promise<void> {
    const reason = runError('RUN_SHUTDOWN', 'the worker is being stopped; another one goes on')
    this.#shutdown.abort(reason)
    const late = setTimeout(() => this.#lateShutdown.abort(reason), this.#settings.drainMs)
    const untilMs = this.#deps.clock.now() + closeMs
    await this.#consumer?.stop(closeMs)
    const leftMs = Math.min(closeMs, Math.max(0, untilMs - this.#deps.clock.now()))
    await withGrace(Promise.all([...this.#inWork.values()].map(({ done }) => done)), leftMs)
    clearTimeout(late)
    await this.#cancels?.close()
    await this.#lease.close()
    await this.#events.flush()
    this.#end.resolve()
  }

  async #takeJob({ namespace, runName, actionIndex, dispatch }: TakenJob): Promise<void> {
    if (!this.#deps.watchNamespaces.includes(namespace)) return
    const run = await this.#deps.kube
      .resource(ownKinds.runs)
      .find({ namespace, name: runName }, { signal: this.#shutdown.signal })
    const action = run && isJournal(run) ? actionsOf(run)[actionIndex] : undefined
    if (!run || action?.dispatch !== dispatch) return
    if (isLeftBehind(action, this.#deps.worker) && !(await this.#lease.isOurs())) return
    // What an earlier start of this worker left takes room that the queue does not know of; the sweep gives the job out again.
    if (this.#inWork.size >= this.#settings.concurrency) return
    await this.#work(run, actionIndex)
  }

  /** Runs an action unless it has ended, somebody else has it or it is in work here. Never rejects. */
  async #work(run: Run, actionIndex: number, tries = 1): Promise<void> {
    const action = actionsOf(run)[actionIndex]
    const key = keyOf(run, actionIndex)
    const free = action && (isFree(action, this.#deps.worker) || (tries > 1 && action.fence.owner === this.#deps.worker.name))
    if (!action || isEnded(action) || !free || this.#inWork.has(key) || this.#shutdown.signal.aborted) return
    if (isHeld(run) || isParked(run, actionIndex)) return
    const cancel = new AbortController()
    const entry: InWork = {
      cancel,
      done: this.#runGuarded(run, actionIndex, cancel, tries, (journal) => (entry.journal = journal)),
    }
    this.#inWork.set(key, entry)
    if (run.status.cancel) this.#cancelRun(run)
    await entry.done
  }

  async #runGuarded(
    run: Run,
    actionIndex: number,
    cancel: AbortController,
    tries: number,
    onStart: (journal: Journal) => void,
  ): Promise<void> {
    // The entry must be in the map before anything runs.
    await Promise.resolve()
    const { log, worker } = this.#deps
    const fields = { ActionSet: run.spec.actionSet.name, namespace: run.metadata.namespace, worker: worker.name }
    let again = false
    try {
      const outcome = await runAction(this.#deps, {
        run,
        actionIndex,
        shutdown: this.#shutdown.signal,
        lateShutdown: this.#lateShutdown.signal,
        cancel: cancel.signal,
        settings: this.#settings,
        emit: (note) => this.#emit(run, actionIndex, note),
        onStart,
        // Cancelled after we had read it, perhaps before its watch knew of our work: nothing may begin on what we read.
        onAnswer: (answer) => this.#cancelRun(answer),
        ...(run.spec.queue?.objects?.length && !hasLaunched(run)
          ? { mayBegin: (signal: AbortSignal) => areObjectsFree(this.#deps, run, signal) }
          : {}),
      })
      log.debug({ ...fields, actionIndex, outcome }, 'action left')
      // As far as we know. If it is ours after all (the journal was away for too long), nobody else would go on with it.
      again = outcome === 'lost'
    } catch (error) {
      again = true
      log.error({ ...fields, actionIndex, error: String(error) }, 'action could not be driven on, trying again')
    } finally {
      this.#inWork.delete(keyOf(run, actionIndex))
    }
    if (again) void this.#tryAgain(run, actionIndex, tries)
  }

  /** We own the action still: nobody else would go on with it while we live. */
  async #tryAgain(stale: Run, actionIndex: number, tries: number): Promise<void> {
    try {
      await this.#deps.clock.sleep(backoffMs(tries, { firstMs: 1_000, maxMs: 60_000 }), this.#shutdown.signal)
      const { namespace, name } = stale.metadata
      const run = await this.#deps.kube.resource(ownKinds.runs).find({ namespace, name }, { signal: this.#shutdown.signal })
      const action = run && actionsOf(run)[actionIndex]
      // What nobody has comes by the queue.
      if (!action || action.fence.owner !== this.#deps.worker.name) return
      if (isLeftBehind(action, this.#deps.worker) && !(await this.#lease.isOurs())) return
      if (this.#inWork.size >= this.#settings.concurrency) return void this.#tryAgain(stale, actionIndex, tries + 1)
      await this.#work(run, actionIndex, tries + 1)
    } catch (error) {
      if (!this.#shutdown.signal.aborted) {
        this.#deps.log.error({ error: String(error) }, 'Run could not be read, trying again')
        void this.#tryAgain(stale, actionIndex, tries + 1)
      }
    }
  }

  /** `own`: what an earlier start of this worker left. `free`: what nobody has, for when the queue is away. */
  async #takeFromRuns(which: 'own' | 'free'): Promise<void> {
    const { kube, watchNamespaces, worker } = this.#deps
    const runs: Run[] = []
    for (const namespace of watchNamespaces) {
      const { items } = await kube
        .resource(ownKinds.runs)
        .list({ namespace, labelSelector: `${names.unfinished}=true`, signal: this.#shutdown.signal })
      runs.push(...items.filter(isJournal))
    }
    const leftBehind = runs.some((run) => actionsOf(run).some((action) => !isEnded(action) && isLeftBehind(action, worker)))
    // Read after the Runs: so it is known that what stands there under our name is older than we are.
    const ours = leftBehind && (await this.#lease.isOurs())
    const mine = runs.map((run) => ({
      run,
      indexes: claimable(run, worker).filter((index) => ours || actionsOf(run)[index]?.fence.owner === ''),
    }))
    if (which === 'free') return this.#takeInOrder(mine)
    for (const { run, indexes } of mine) {
      for (const index of indexes) {
        // More than there is room for are of two processes of our name: the operator takes them from a start that is gone.
        if (this.#inWork.size >= this.#settings.concurrency) return
        if (actionsOf(run)[index]?.fence.owner === worker.name) void this.#work(run, index)
      }
    }
  }

  /** In the order in which the operator would give them out: all Runs are here, so it is the same. */
  #takeInOrder(runs: readonly { readonly run: Run; readonly indexes: readonly number[] }[]): void {
    const { clock, engine } = this.#deps
    const byKey = new Map(runs.map((each) => [`${each.run.metadata.namespace}/${each.run.metadata.name}`, each]))
    const open = runs.map(({ run }) => openRunOf(run, engine.namespace))
    const { order, blocked } = decideQueue(open, { nowMs: clock.now(), perShare: Infinity })
    for (const { run: turn, index } of order) {
      const found = byKey.get(turn.key)
      if (this.#inWork.size >= this.#settings.concurrency) return
      if (found?.indexes.includes(index) && !blocked.has(turn.key)) void this.#work(found.run, index)
    }
  }

  async #watchQueue(): Promise<void> {
    let unhealthy = 0
    while (!this.#shutdown.signal.aborted) {
      await this.#sleep(fallbackMs * (0.75 + Math.random() / 2))
      if (this.#inWork.size > 0 && !this.#shutdown.signal.aborted) await this.#cancels?.look()
      unhealthy = this.#consumer?.healthy === false ? unhealthy + 1 : 0
      if (unhealthy < 2 || this.#shutdown.signal.aborted) continue
      this.#deps.log.warn({}, 'the queue is away, looking for work in the Runs')
      await this.#takeFromRuns('free').catch((error: unknown) =>
        this.#deps.log.warn({ error: String(error) }, 'Runs could not be listed'),
      )
    }
  }

  #cancelRun(run: Run): void {
    const reason = run.status.cancel?.reason
    if (reason === undefined) return
    for (const index of run.spec.actions.keys()) {
      this.#inWork.get(keyOf(run, index))?.cancel.abort(runError('RUN_CANCELLED', `cancelled: ${reason}`))
    }
  }

  #verifyAll(): void {
    this.#deps.log.warn({}, 'this process did not run for a while, checking whether its actions are still its own')
    for (const { journal } of this.#inWork.values()) {
      void journal
        ?.verify()
        .catch((error: unknown) => this.#deps.log.warn({ error: String(error) }, 'fence could not be checked'))
    }
  }

  #replaced(holder: string): void {
    this.#deps.log.error({ holder }, 'another worker of the same name is running; this one stops')
    this.#end.reject(runError('RUN_FENCED', `another worker of the name ${this.#deps.worker.name} is running (${holder})`))
    void this.close()
  }

  #emit(run: Run, actionIndex: number, note: Note): void {
    const { namespace } = run.metadata
    const { name, uid } = run.spec.actionSet
    this.#events.send({ apiVersion: apiVersionOf(actionSetKind), kind: 'ActionSet', namespace, name, uid }, note)
    const blueprint = run.spec.actions[actionIndex]?.action.blueprint
    if (note.type !== 'Warning' || !blueprint) return
    this.#events.send({ apiVersion: apiVersionOf(blueprintKind), kind: 'Blueprint', namespace, name: blueprint }, note)
  }

  async #sleep(ms: number): Promise<void> {
    await this.#deps.clock.sleep(ms, this.#shutdown.signal).catch(() => undefined)
  }
}

async function withGrace(work: Promise<unknown>, graceMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const grace = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, graceMs)
  })
  await Promise.race([work, grace])
  clearTimeout(timer)
}

function keyOf(run: Run, actionIndex: number): string {
  return `${run.metadata.namespace}/${run.metadata.name}/${actionIndex}`
}
