import type { Live, KubeObject } from '../../kube/objects.ts'

/** What the watch has not shown by then may be gone. */
const unseenMs = 60_000

export interface FreshestOptions {
  /**
   * `no`: what the watch does not show in a minute counts as gone, so everything that would follow wrongly from that asks the server first. `yes`: it
   * counts until the server was asked (`overdue`) and said so (`gone`).
   * @default 'no'
   */
  readonly believesUnseen?: 'yes' | 'no'
}

/**
 * What we wrote last, until the watch shows it: a cache lags behind our own writes, and deciding on the state before them
 * would do things twice. Versions are compared as numbers, which they are in every API server there is; where not, the
 * cache wins and a repeated write meets its own conflict.
 */
export class Freshest<T extends KubeObject> {
  readonly #written = new Map<string, { readonly object: Live<T>; readonly atMs: number }>()
  readonly #now: () => number
  readonly #keepMs: number

  constructor(now: () => number, { believesUnseen = 'no' }: FreshestOptions = {}) {
    this.#now = now
    this.#keepMs = believesUnseen === 'yes' ? Infinity : unseenMs
  }

  wrote(key: string, object: Live<T>): void {
    this.#written.set(key, { object, atMs: this.#now() })
  }

  /** What a read showed: as if we had written it, unless we know a later one. */
  read(key: string, object: Live<T>, cached: Live<T> | undefined): void {
    const known = this.pick(key, cached)
    const isLater = known?.metadata.uid === object.metadata.uid && versionOf(known) > versionOf(object)
    if (!isLater) this.wrote(key, object)
  }

  /** The later one of what is cached and what we wrote. */
  pick(key: string, cached: Live<T> | undefined): Live<T> | undefined {
    const known = this.#written.get(key)
    if (!known) return cached
    const written = known.object
    // Not in the cache: not there yet, or gone again. The watch will say which, and `seen` forgets; unless it said so before a late answer
    // made us remember (found by the simulation), so after a while the cache wins.
    if (!cached && this.#now() - known.atMs < this.#keepMs) return written
    if (!cached) {
      this.#written.delete(key)
      return undefined
    }
    if (versionOf(cached) < versionOf(written)) return written
    this.#written.delete(key)
    return cached
  }

  /** Keys of what was written or read so long ago that the watch should have shown it: it is silent, or they are gone. */
  overdue(): string[] {
    return [...this.#written].flatMap(([key, { atMs }]) => (this.#now() - atMs < unseenMs ? [] : [key]))
  }

  /** The server does not have it. */
  gone(key: string): void {
    this.#written.delete(key)
  }

  /** To be called for every change that the watch shows. */
  seen(key: string, object: Live<T> | undefined): void {
    const written = this.#written.get(key)?.object
    if (!written) return
    if (!object || versionOf(object) >= versionOf(written)) this.#written.delete(key)
  }
}

function versionOf(object: { readonly metadata: { readonly resourceVersion: string } }): bigint {
  const text = object.metadata.resourceVersion
  return /^\d+$/.test(text) ? BigInt(text) : 0n
}
