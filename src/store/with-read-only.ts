import { storeError } from './errors.ts'
import type { ObjectStore } from './object-store.ts'

/** A store that can be read and listed only; changes are refused with STORE_READ_ONLY before anything is sent. */
export function withReadOnly(store: ObjectStore): ObjectStore {
  const refuse = async (what: string): Promise<never> => {
    throw storeError('STORE_READ_ONLY', `${what} refused: ${store.description} is open for reading only`)
  }
  return {
    description: `${store.description} (read-only)`,
    ...(store.retentionMs === undefined ? {} : { retentionMs: store.retentionMs }),
    put: (key) => refuse(`put of "${key}"`),
    putStream: (key) => refuse(`put of "${key}"`),
    get: (key, options) => store.get(key, options),
    getStream: (key, options) => store.getStream(key, options),
    head: (key, options) => store.head(key, options),
    list: (prefix, options) => store.list(prefix, options),
    delete: (key) => refuse(`delete of "${key}"`),
    deleteMany: () => refuse('delete'),
  }
}
