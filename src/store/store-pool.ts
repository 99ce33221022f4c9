import { createHash } from 'node:crypto'
import { type OpenStoreOptions, type OpenedStore, openStore } from './location.ts'
import type { ObjectStore } from './object-store.ts'
import type { ResolvedProfile } from './profile-json.ts'

/** Profiles with their credentials that stay open at once; the one unused for longest gives way. */
const keptOpen = 32

/**
 * Stores shared by all who use the same Profile with the same credentials: one set of sockets per location, and what was learned of it
 * (region, checksums) stays known. A rotated credential is another store.
 */
export class StorePool implements AsyncDisposable {
  readonly #stores = new Map<string, OpenedStore>()
  readonly #options: OpenStoreOptions

  constructor(options: OpenStoreOptions = {}) {
    this.#options = options
  }

  /** Belongs to the pool: the caller does not close it. */
  open(profile: ResolvedProfile): ObjectStore {
    const id = createHash('sha256').update(JSON.stringify(profile)).digest('hex')
    const store = this.#stores.get(id) ?? openStore(profile, this.#options)
    this.#stores.delete(id)
    this.#stores.set(id, store)
    this.#forgetOldest()
    return store
  }

  async close(): Promise<void> {
    const stores = [...this.#stores.values()]
    this.#stores.clear()
    await Promise.all(stores.map((store) => store[Symbol.asyncDispose]()))
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
