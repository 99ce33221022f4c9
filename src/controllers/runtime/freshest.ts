import type { Live, KubeObject } from '../../kube/objects.ts'

/**
 * What we wrote last, until the watch shows it: a cache lags behind our own writes, and deciding on the state before them
 * would do things twice. Versions are compared as numbers, which they are in every API server there is; where not, the
 * cache wins and a repeated write meets its own conflict.
 */
export class Freshest<T extends KubeObject> {
  readonly #written = new Map<string, Live<T>>()

  wrote(key: string, object: Live<T>): void {
    this.#written.set(key, object)
  }

  /** The later one of what is cached and what we wrote. */
  pick(key: string, cached: Live<T> | undefined): Live<T> | undefined {
    const written = this.#written.get(key)
    if (!written) return cached
    // Not in the cache: not there yet, or gone again; the watch will say which, and `seen` forgets.
    if (!cached) return written
    if (cached.metadata.uid === written.metadata.uid && versionOf(cached) < versionOf(written)) return written
    this.#written.delete(key)
    return cached
  }

  /** To be called for every change that the watch shows. */
  seen(key: string, object: Live<T> | undefined): void {
    const written = this.#written.get(key)
    if (!written) return
    if (!object || object.metadata.uid !== written.metadata.uid || versionOf(object) >= versionOf(written))
      this.#written.delete(key)
  }
}

function versionOf(object: { readonly metadata: { readonly resourceVersion: string } }): bigint {
  const text = object.metadata.resourceVersion
  return /^\d+$/.test(text) ? BigInt(text) : 0n
}
