import { names } from '../../api/names.ts'
import type { Fence } from '../../api/run.ts'
import { holderOf, workerLeaseName } from '../../api/worker-lease.ts'
import type { Clock } from '../../base/clock.ts'
import { kinds, type Lease } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'

export interface LivenessOptions {
  readonly kube: Pick<Kube, 'resource'>
  readonly namespace: string
  readonly clock: Clock
  readonly timeoutMs: number
}

interface Sight {
  /** What the Lease said when it changed last; undefined: there was none. */
  readonly renewTime: string | undefined
  readonly holder: string | undefined
  /** By our clock; clocks of other machines are not compared with ours. */
  sinceMs: number
  /** When the Lease was read last. Between two looks nothing is known, so a sight does not age by itself. */
  lookedMs: number
}

/**
 * Tells which workers are gone. A worker is gone when its Lease names a later start of it, or when it did not change for
 * `timeoutMs` while we could read it all the time: after the API server was away, everybody gets the whole time again.
 */
export class Liveness {
  readonly #options: LivenessOptions
  readonly #seen = new Map<string, Sight>()
  /** Holders found gone by the last look, out of those asked about. */
  readonly #gone = new Set<string>()

  constructor(options: LivenessOptions) {
    this.#options = options
  }

  /**
   * Reads the Leases once, for the fences as they are known now. A failure makes all that is known start anew, and is thrown.
   * A fence is judged only by a look that began after it was known: a worker takes its Lease before its first action, so an
   * older look could still show the start before, and condemn the one that lives.
   */
  async poll(fences: Iterable<Fence>, signal: AbortSignal): Promise<void> {
    const { kube, namespace } = this.#options
    const asked = [...fences].filter(({ owner }) => owner !== '')
    let leases: ReadonlyMap<string, Lease>
    try {
      const call = { namespace, labelSelector: `${names.workerLease}=true`, signal, timeoutMs: 4_000 }
      const { items } = await kube.resource<Lease>(kinds.leases).list(call)
      leases = new Map(items.map((lease) => [lease.metadata.name, lease]))
    } catch (error) {
      this.forget()
      throw error
    }
    const wanted = new Set(asked.map(({ owner }) => owner))
    for (const owner of this.#seen.keys()) if (!wanted.has(owner)) this.#seen.delete(owner)
    for (const owner of wanted) this.#look(owner, leases.get(workerLeaseName(owner)))
    this.#gone.clear()
    for (const fence of asked) if (this.#isFoundGone(fence)) this.#gone.add(keyOf(fence))
  }

  /** To be called when nobody owns anything, instead of polling. */
  forget(): void {
    this.#seen.clear()
    this.#gone.clear()
  }

  /** Of workers that were not looked at yet nothing is known: they are not gone. */
  isGone(fence: Fence): boolean {
    return this.#gone.has(keyOf(fence))
  }

  #isFoundGone({ owner, instance }: Fence): boolean {
    const sight = this.#seen.get(owner)
    if (!sight) return false
    if (sight.holder !== undefined && sight.holder !== holderOf({ name: owner, instance })) return true
    return sight.lookedMs - sight.sinceMs > this.#options.timeoutMs
  }

  #look(owner: string, lease: Lease | undefined): void {
    const renewTime = lease?.spec?.renewTime
    const holder = lease?.spec?.holderIdentity
    const lookedMs = this.#options.clock.now()
    const last = this.#seen.get(owner)
    if (last && last.renewTime === renewTime && last.holder === holder) last.lookedMs = lookedMs
    else this.#seen.set(owner, { renewTime, holder, sinceMs: lookedMs, lookedMs })
  }
}

function keyOf({ owner, instance }: Fence): string {
  return holderOf({ name: owner, instance })
}
