import type { ActionSet } from '../../api/actionset.ts'
import type { Fence } from '../../api/run.ts'
import { aborted } from '../../base/aborted.ts'
import { retry } from '../../base/backoff.ts'
import type { EventSink } from '../../kube/events.ts'
import type { HeldLease } from '../../kube/lease.ts'
import type { Live } from '../../kube/objects.ts'
import { ActionSetController } from '../actionset/controller.ts'
import { listImported } from '../actionset/imported-backups.ts'
import { WaitingLine } from '../actionset/waiting-line.ts'
import { CrdGuard } from './crd-guard.ts'
import { controllerError } from './errors.ts'
import { refuseBesideKanister } from './kanister-guard.ts'
import { Liveness } from './liveness.ts'
import type { Operator, OperatorDeps, OperatorSettings } from './operator.ts'

const defaults: OperatorSettings = {
  concurrency: 16,
  coalesceMs: 250,
  statusesPerSecond: 5,
  sweepMs: 5_000,
  livenessPollMs: 2_000,
  workerTimeoutMs: 10_000,
  perNamespace: 0,
  window: 64,
  objectTimeoutMs: 24 * 3_600_000,
  removal: {},
  tidyMs: 30_000,
  keepRunsMs: 24 * 3_600_000,
}

/** Acts on the ActionSets of the watched namespaces until it is closed, or a Kanister controller appears in one of them. */
export function startOperator(deps: OperatorDeps): Operator {
  const operator = new RunningOperator(deps)
  const ready = operator.start()
  ready.catch(() => undefined)
  operator.done.catch(() => undefined)
  return { ready, done: operator.done, trouble: () => operator.trouble(), close: () => operator.close() }
}

/** Of the operator in each watched namespace. */
export const leaderLease = 'holdfast-operator'
const leaderMs = 10_000
const guardMs = 60_000
/** How often the guard of the CRDs is asked to look. */
const crdsMs = 10_000

class RunningOperator {
  readonly done: Promise<void>
  readonly #deps: OperatorDeps
  readonly #settings: OperatorSettings
  readonly #stop = new AbortController()
  readonly #events: EventSink
  readonly #liveness: Liveness
  readonly #controllers = new Set<ActionSetController>()
  readonly #line: WaitingLine
  readonly #crds: CrdGuard
  #governing: readonly Promise<void>[] = []
  #unsubscribe: (() => void) | undefined
  #end: { resolve(): void; reject(error: unknown): void } = { resolve: () => undefined, reject: () => undefined }

  constructor(deps: OperatorDeps) {
    this.#deps = deps
    this.#settings = { ...defaults, ...deps.settings }
    this.#events = deps.kube.eventSink('holdfast-operator')
    this.#liveness = new Liveness({
      kube: deps.kube,
      namespace: deps.namespace,
      clock: deps.clock,
      timeoutMs: this.#settings.workerTimeoutMs,
    })
    this.#crds = new CrdGuard(deps)
    this.#line = new WaitingLine({
      clock: deps.clock,
      engineNamespace: deps.namespace,
      perShare: this.#settings.perNamespace > 0 ? this.#settings.perNamespace : Infinity,
      window: this.#settings.window,
      objectTimeoutMs: this.#settings.objectTimeoutMs,
    })
    this.done = new Promise((resolve, reject) => {
      this.#end = { resolve, reject }
    })
  }

  async start(): Promise<void> {
    const { watchNamespaces, queue } = this.#deps
    const started = watchNamespaces.map(
      (namespace) =>
        new Promise<void>((resolve, reject) => {
          const governing = this.#govern(namespace, resolve).catch((error: unknown) => {
            reject(error)
            this.#fail(error)
          })
          this.#governing = [...this.#governing, governing]
        }),
    )
    this.#unsubscribe = queue.onReconnect(() => this.#controllers.forEach((controller) => controller.queueIsBack()))
    void this.#every(this.#settings.sweepMs, () => this.#controllers.forEach((controller) => controller.sweep()))
    void this.#every(this.#settings.livenessPollMs, () => this.#lookForTheDead())
    void this.#every(crdsMs, () => this.#crds.look(this.#stop.signal), 'at once')
    void this.#every(Math.min(this.#settings.tidyMs, this.#settings.keepRunsMs), () => this.#tidy())
    await Promise.all(started)
  }

  trouble(): string | undefined {
    return this.#crds.trouble
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error('the operator is being stopped'))
    this.#unsubscribe?.()
    await Promise.all(this.#governing)
    await this.#events.flush()
    this.#end.resolve()
  }

  /**
   * Acts on one namespace for as long as its Lease is ours. A Lease that was lost (the API server was away, this process
   * slept) is waited for again: workers go on meanwhile, so there is no reason to end the process.
   */
  async #govern(namespace: string, onStart: () => void): Promise<void> {
    const { log } = this.#deps
    while (!this.#stop.signal.aborted) {
      const lease = await this.#lead(namespace)
      if (!lease) return
      const controller = this.#controller(namespace)
      const others = (this.#deps.controllers ?? []).map((make) => make(namespace, this.#events))
      this.#controllers.add(controller)
      try {
        const until = AbortSignal.any([lease.signal, this.#stop.signal])
        const started = Promise.all([controller, ...others].map((each) => each.start()))
        await Promise.race([started.then(onStart), aborted(until)])
        await this.#guard(namespace, until)
      } finally {
        this.#controllers.delete(controller)
        await Promise.all([controller, ...others].map((each) => each.close()))
        await lease.release()
      }
      if (!this.#stop.signal.aborted) log.warn({ namespace }, 'the leader Lease was lost, waiting to get it back')
    }
  }

  /** Undefined when we are stopped before. */
  async #lead(namespace: string): Promise<HeldLease | undefined> {
    const { kube, identity, clock, log } = this.#deps
    const { signal } = this.#stop
    const onRetry = (error: unknown): void => log.warn({ namespace, error: String(error) }, 'the API server does not answer')
    try {
      return await retry(
        async () => {
          await refuseBesideKanister(kube, namespace, signal)
          const options = { namespace, name: leaderLease, holder: identity, durationMs: leaderMs }
          return await kube.leases.acquire(options, { signal })
        },
        { signal, clock, maxMs: 2_000, onRetry },
      )
    } catch (error) {
      if (signal.aborted) return undefined
      throw error
    }
  }

  #controller(namespace: string): ActionSetController {
    return new ActionSetController({
      deps: this.#deps,
      settings: this.#settings,
      namespace,
      events: this.#events,
      isGone: (fence) => this.#liveness.isGone(fence),
      line: this.#line,
      imported: (signal) => this.#imported(signal),
    })
  }

  /** The watches know those of the namespaces that we lead; of those that another process leads, or that are not listed yet, the server is asked. */
  async #imported(signal: AbortSignal): Promise<readonly Live<ActionSet>[]> {
    const { kube, watchNamespaces } = this.#deps
    const all = watchNamespaces.map(async (namespace) => {
      const leading = [...this.#controllers].find((controller) => controller.namespace === namespace)
      return leading?.importedBackups() ?? (await listImported(kube, namespace, signal))
    })
    return (await Promise.all(all)).flat()
  }

  /** Looks from time to time whether a Kanister was installed meanwhile. Ends with the signal. */
  async #guard(namespace: string, until: AbortSignal): Promise<void> {
    const { kube, clock, log } = this.#deps
    while (!until.aborted) {
      await clock.sleep(guardMs, until).catch(() => undefined)
      if (until.aborted) return
      await refuseBesideKanister(kube, namespace, until).catch((error: unknown) => {
        if (controllerError.is(error, 'CONTROLLER_NAMESPACE_TAKEN')) throw error
        if (!until.aborted) log.debug({ namespace, error: String(error) }, 'could not look for a Kanister controller')
      })
    }
  }

  async #lookForTheDead(): Promise<void> {
    const { signal } = this.#stop
    const all = [...this.#controllers]
    // What was seen of a worker while there was work says nothing when there is work again.
    if (!all.some((controller) => controller.hasOpenRuns())) return this.#liveness.forget()
    const fences = (): Fence[] => all.flatMap((controller) => controller.fences())
    await this.#liveness.poll(fences(), signal)
    const silent = this.#liveness.newlySilent()
    if (silent.length > 0) {
      // What they had stands in the Runs, and who says that our watch would have told us.
      await Promise.all(all.map((controller) => controller.readOpenRuns()))
      await this.#liveness.poll(fences(), signal)
      this.#liveness.lookedAfter(silent)
    }
    for (const controller of all) controller.lookAtOrphans()
  }

  async #tidy(): Promise<void> {
    for (const controller of this.#controllers) await controller.tidy()
  }

  /** A round that fails is logged; the next one comes anyway. */
  async #every(ms: number, round: () => void | Promise<void>, first: 'at once' | 'later' = 'later'): Promise<void> {
    const { clock, log } = this.#deps
    for (let rounds = 0; !this.#stop.signal.aborted; rounds++) {
      if (rounds > 0 || first === 'later') await clock.sleep(ms, this.#stop.signal).catch(() => undefined)
      if (this.#stop.signal.aborted) return
      try {
        await round()
      } catch (error) {
        if (!this.#stop.signal.aborted) log.warn({ error: String(error) }, 'periodic look failed')
      }
    }
  }

  #fail(error: unknown): void {
    this.#end.reject(error)
    void this.close().catch(() => undefined)
  }
}
