import { names } from '../api/names.ts'
import { holderOf, workerLeaseName } from '../api/worker-lease.ts'
import { systemClock, type Clock } from '../base/clock.ts'
import { kubeError } from '../kube/errors.ts'
import { kinds, type Lease } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type { Logger } from '../telemetry/logger.ts'

export interface WorkerLeaseOptions {
  readonly kube: Pick<Kube, 'resource'>
  readonly namespace: string
  readonly worker: { readonly name: string; readonly instance: string }
  readonly beatMs: number
  readonly clock?: Clock
  readonly log: Logger
  /** Called when this process did not run for longer than others wait for a beat. */
  readonly onGap: () => void
  /** Called when another process of the same name has taken the Lease. */
  readonly onReplaced: (holder: string) => void
}

/** A gap in our own beats after which somebody may have taken our actions. */
const gapMs = 8_000

/**
 * Shows that this worker lives: one Lease per worker, renewed every beat, whatever the number of actions. Unlike a leader's
 * Lease it is not fought for: a process that starts takes its own name's Lease at once, because the one before it is gone.
 */
export class WorkerLease {
  readonly #options: WorkerLeaseOptions
  readonly #clock: Clock
  readonly #stop = new AbortController()
  #beating: Promise<void> = Promise.resolve()

  constructor(options: WorkerLeaseOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  /** Takes the Lease and starts to beat. */
  async start(): Promise<void> {
    await this.#write(true)
    this.#beating = this.#beat()
  }

  /** Stops beating and takes the Lease away: others need not wait for its end. Never throws. */
  async close(): Promise<void> {
    this.#stop.abort(new Error('closed'))
    await this.#beating
    const { kube, namespace, worker, log } = this.#options
    try {
      const leases = kube.resource<Lease>(kinds.leases)
      const mine = await leases.find({ namespace, name: workerLeaseName(worker.name) }, { timeoutMs: 2_000 })
      if (mine?.spec?.holderIdentity !== holderOf(worker)) return
      await leases.delete(
        { namespace, name: mine.metadata.name },
        { resourceVersion: mine.metadata.resourceVersion, timeoutMs: 2_000 },
      )
    } catch (error) {
      log.debug({ error: String(error) }, 'the worker Lease was left to run out')
    }
  }

  /** Asks the server whether no later start of this worker has taken the Lease. */
  async isOurs(): Promise<boolean> {
    const { kube, namespace, worker } = this.#options
    const call = { signal: this.#stop.signal, timeoutMs: 10_000 }
    const there = await kube.resource<Lease>(kinds.leases).find({ namespace, name: workerLeaseName(worker.name) }, call)
    return there?.spec?.holderIdentity === holderOf(worker)
  }

  async #beat(): Promise<void> {
    const { beatMs, log, onGap } = this.#options
    let last = this.#clock.now()
    while (!this.#stop.signal.aborted) {
      await this.#clock.sleep(beatMs, this.#stop.signal).catch(() => undefined)
      if (this.#stop.signal.aborted) return
      const now = this.#clock.now()
      if (now - last > gapMs) onGap()
      last = now
      await this.#write(false).catch((error: unknown) => log.warn({ error: String(error) }, 'worker heartbeat failed'))
    }
  }

  async #write(taking: boolean): Promise<void> {
    const { kube, namespace, worker, onReplaced } = this.#options
    const leases = kube.resource<Lease>(kinds.leases)
    const name = workerLeaseName(worker.name)
    const call = { signal: this.#stop.signal, timeoutMs: 4_000 }
    const renewTime = new Date(this.#clock.now()).toISOString().replace('Z', '000Z')
    const spec = { holderIdentity: holderOf(worker), leaseDurationSeconds: 10, renewTime }
    const patch = taking
      ? { spec }
      : [
          { op: 'test', path: '/spec/holderIdentity', value: holderOf(worker) },
          { op: 'replace', path: '/spec/renewTime', value: renewTime },
        ]
    try {
      await leases.patch({ namespace, name }, patch, { ...call, type: taking ? 'merge' : 'json' })
    } catch (error) {
      if (kubeError.is(error, 'KUBE_NOT_FOUND')) await leases.create(newLease(namespace, name, spec), call)
      else if (!taking && kubeError.is(error, 'KUBE_INVALID', 'KUBE_CONFLICT'))
        onReplaced((await leases.get({ namespace, name }, call)).spec?.holderIdentity ?? '')
      else throw error
    }
  }
}

function newLease(namespace: string, name: string, spec: NonNullable<Lease['spec']>): Lease {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, namespace, labels: { [names.workerLease]: 'true' } },
    spec,
  }
}
