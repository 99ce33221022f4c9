import { createHash } from 'node:crypto'
import { type OpenStoreOptions, type OpenedStore, openStore } from './location.ts'
import { joinKey } from './key.ts'
import type { ObjectStore } from './object-store.ts'
import type { ResolvedProfile } from './profile-json.ts'

interface Kept {
  readonly store: OpenedStore
  /** Of the location. */
  readonly prefix: string
}

type TidyReport = (round: { readonly store: string; readonly removed: number; readonly error?: unknown }) => void

/** Profiles with their credentials that stay open at once; the one unused for longest gives way. */
const keptOpen = 32

/**
 * Stores shared by all who use the same Profile with the same credentials: one set of sockets per location, and what was learned of it
 * (region, checksums) stays known. A rotated credential is another store.
 */
export class StorePool implements AsyncDisposable {
  readonly #stores = new Map<string, Kept>()
  readonly #options: OpenStoreOptions

  constructor(options: OpenStoreOptions = {}) {
    this.#options = options
  }

  /** Belongs to the pool: the caller does not close it. */
  open(profile: ResolvedProfile): ObjectStore {
    const id = createHash('sha256').update(JSON.stringify(profile)).digest('hex')
    const kept = this.#stores.get(id) ?? {
      store: openStore(profile, this.#options),
      prefix: joinKey(profile.location.prefix),
    }
    this.#stores.delete(id)
    this.#stores.set(id, kept)
    this.#forgetOldest()
    return kept.store
  }

  /** See `OpenedStore.removeAbandoned`; a store that cannot be tidied up is reported and keeps nobody from the others. */
  async removeAbandoned(before: number, signal: AbortSignal, report: TidyReport): Promise<void> {
    for (const { store, prefix } of [...this.#stores.values()]) {
      signal.throwIfAborted()
      try {
        const removed = (await store.removeAbandoned?.(before, { prefix, signal })) ?? 0
        if (removed > 0) report({ store: store.description, removed })
      } catch (error) {
        signal.throwIfAborted()
        report({ store: store.description, removed: 0, error })
      }
    }
  }

  async close(): Promise<void> {
    const stores = [...this.#stores.values()]
    this.#stores.clear()
    await Promise.all(stores.map(({ store }) => store[Symbol.asyncDispose]()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Not closed, only let go: somebody may still stream through it. Its idle sockets end by themselves. */
  #forgetOldest(): void {
    const [oldest] = this.#stores.keys()
    if (this.#stores.size > keptOpen && oldest !== undefined) this.#stores.delete(oldest)
  }
}
