import type { EventSink } from '../../kube/events.ts'
import type { HeldLease } from '../../kube/lease.ts'
import { ActionSetController } from '../actionset/controller.ts'
import { controllerError } from './errors.ts'
import { refuseBesideKanister } from './kanister-guard.ts'
import { Liveness } from './liveness.ts'
import type { Operator, OperatorDeps, OperatorSettings } from './operator.ts'

const defaults: OperatorSettings = {
  concurrency: 16,
  coalesceMs: 250,
  sweepMs: 15_000,
  livenessPollMs: 2_000,
  workerTimeoutMs: 10_000,
}

/** Acts on the ActionSets of the watched namespaces until it is closed or loses one of them. */
export function startOperator(deps: OperatorDeps): Operator {
  const operator = new RunningOperator(deps)
  const ready = operator.start()
  ready.catch(() => undefined)
  operator.done.catch(() => undefined)
  return { ready, done: operator.done, close: () => operator.close() }
}

/** Of the operator in each watched namespace. */
export const leaderLease = 'holdfast-operator'
const leaderMs = 10_000
const guardMs = 60_000

class RunningOperator {
  readonly done: Promise<void>
  readonly #deps: OperatorDeps
  readonly #settings: OperatorSettings
  readonly #stop = new AbortController()
  readonly #events: EventSink
  readonly #liveness: Liveness
  readonly #leases: HeldLease[] = []
  #controllers: readonly ActionSetController[] = []
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
    this.done = new Promise((resolve, reject) => {
      this.#end = { resolve, reject }
    })
  }

  async start(): Promise<void> {
    try {
      for (const namespace of this.#deps.watchNamespaces) await this.#lead(namespace)
      await this.#control()
    } catch (error) {
      this.#fail(error)
      throw error
    }
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error('the operator is being stopped'))
    this.#unsubscribe?.()
    await Promise.all(this.#controllers.map((controller) => controller.close()))
    await Promise.all(this.#leases.map((lease) => lease.release()))
    await this.#events.flush()
    this.#end.resolve()
  }

  async #lead(namespace: string): Promise<void> {
    const { kube, identity } = this.#deps
    await refuseBesideKanister(kube, namespace, this.#stop.signal)
    const lease = await kube.leases.acquire(
      { namespace, name: leaderLease, holder: identity, durationMs: leaderMs },
      { signal: this.#stop.signal },
    )
    this.#leases.push(lease)
    lease.signal.addEventListener('abort', () => {
      if (this.#stop.signal.aborted) return
      this.#fail(
        controllerError('CONTROLLER_LEADER_LOST', `the Lease ${leaderLease} of namespace ${namespace} was lost`, {
          cause: lease.signal.reason,
        }),
      )
    })
  }

  async #control(): Promise<void> {
    const { deps, signal } = { deps: this.#deps, signal: this.#stop.signal }
    this.#controllers = deps.watchNamespaces.map(
      (namespace) =>
        new ActionSetController({
          deps,
          settings: this.#settings,
          namespace,
          events: this.#events,
          isGone: (fence) => this.#liveness.isGone(fence),
          signal,
        }),
    )
    await Promise.all(this.#controllers.map((controller) => controller.start()))
    this.#unsubscribe = deps.queue.onReconnect(() => this.#controllers.forEach((controller) => controller.queueIsBack()))
    void this.#every(this.#settings.sweepMs, () => this.#controllers.forEach((controller) => controller.sweep()))
    void this.#every(this.#settings.livenessPollMs, () => this.#lookForTheDead())
    void this.#every(guardMs, () => this.#guard())
  }

  async #lookForTheDead(): Promise<void> {
    const owners = this.#controllers.flatMap((controller) => [...controller.owners()])
    if (owners.length === 0) return
    await this.#liveness.poll(owners, this.#stop.signal)
    for (const controller of this.#controllers) controller.lookAtOrphans()
  }

  async #guard(): Promise<void> {
    for (const namespace of this.#deps.watchNamespaces) {
      await refuseBesideKanister(this.#deps.kube, namespace, this.#stop.signal).catch((error: unknown) => {
        if (controllerError.is(error, 'CONTROLLER_NAMESPACE_TAKEN')) this.#fail(error)
        else throw error
      })
    }
  }

  /** A round that fails is logged; the next one comes anyway. */
  async #every(ms: number, round: () => void | Promise<void>): Promise<void> {
    const { clock, log } = this.#deps
    while (!this.#stop.signal.aborted) {
      await clock.sleep(ms, this.#stop.signal).catch(() => undefined)
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
