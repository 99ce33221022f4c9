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
  /** For how long it has not changed, by our clock; clocks of other machines are not compared with ours. */
  silentMs: number
  /** When the Lease was read last. Between two looks nothing is known, so a sight does not age by itself. */
  lookedMs: number
}

/**
 * Looks are seconds apart. What lies further between two of them was no silence that we heard: our clock was set, or the machine slept, and the
 * workers on it, too.
 */
const longestStep = 1 / 2

/**
 * Tells which workers are gone. A worker is gone when its Lease names a later start of it, or when it did not change for
 * `timeoutMs` while we could read it all the time: after the API server was away, everybody gets the whole time again, and a look counts for
 * half of it at most.
 */
export class Liveness {
  readonly #options: LivenessOptions
  /** By the name of the Lease. */
  readonly #seen = new Map<string, Sight>()
  /** Holders found gone by the last look, out of those asked about. */
  readonly #gone = new Set<string>()
  /** Holders that stopped to beat, and whose Runs were read since. */
  readonly #lookedAfter = new Set<string>()

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
    // Also those of whom we know no action: our watch may be silent, their Leases are not.
    const wanted = new Set([...asked.map(({ owner }) => workerLeaseName(owner)), ...leases.keys()])
    for (const name of this.#seen.keys()) if (!wanted.has(name)) this.#seen.delete(name)
    for (const name of wanted) this.#look(name, leases.get(name))
    this.#gone.clear()
    for (const fence of asked) if (this.#isFoundGone(fence)) this.#gone.add(keyOf(fence))
  }

  /** To be called when there is no work, instead of polling. */
  forget(): void {
    this.#seen.clear()
    this.#gone.clear()
  }

  /** Holders that stopped to beat, until they are `lookedAfter`: what they have is to be read from the server. */
  newlySilent(): string[] {
    const silent = [...this.#seen.values()].flatMap((sight) =>
      sight.holder !== undefined && this.#isSilent(sight) ? [sight.holder] : [],
    )
    for (const holder of this.#lookedAfter) if (!silent.includes(holder)) this.#lookedAfter.delete(holder)
    return silent.filter((holder) => !this.#lookedAfter.has(holder))
  }

  lookedAfter(holders: readonly string[]): void {
    for (const holder of holders) this.#lookedAfter.add(holder)
  }

  /** Of workers that were not looked at yet nothing is known: they are not gone. */
  isGone(fence: Fence): boolean {
    return this.#gone.has(keyOf(fence))
  }

  #isFoundGone({ owner, instance }: Fence): boolean {
    const sight = this.#seen.get(workerLeaseName(owner))
    if (!sight) return false
    if (sight.holder !== undefined && sight.holder !== holderOf({ name: owner, instance })) return true
    return this.#isSilent(sight)
  }

  #isSilent({ silentMs }: Sight): boolean {
    return silentMs > this.#options.timeoutMs
  }

  #look(name: string, lease: Lease | undefined): void {
    const renewTime = lease?.spec?.renewTime
    const holder = lease?.spec?.holderIdentity
    const lookedMs = this.#options.clock.now()
    const last = this.#seen.get(name)
    if (!last || last.renewTime !== renewTime || last.holder !== holder) {
      this.#seen.set(name, { renewTime, holder, silentMs: 0, lookedMs })
      return
    }
    last.silentMs += Math.min(Math.max(0, lookedMs - last.lookedMs), this.#options.timeoutMs * longestStep)
    last.lookedMs = lookedMs
  }
}

function keyOf({ owner, instance }: Fence): string {
  return holderOf({ name: owner, instance })
}
