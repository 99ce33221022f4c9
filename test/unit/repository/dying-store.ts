import { storeError } from '../../../src/store/errors.ts'
import type { ObjectStore } from '../../../src/store/object-store.ts'

/**
 * A store for a process that dies: after `writes` puts and deletes nothing goes through any more, the clean-up of the dead neither. A delete of many
 * counts for each, as a store may be half-way.
 */
export function dyingStore(store: ObjectStore, writes: number): ObjectStore & { readonly died: boolean } {
  let left = writes
  const spend = (): void => {
    if (left-- <= 0) throw storeError('STORE_UNREACHABLE', 'the process is dead')
  }
  return {
    description: store.description,
    get died() {
      return left < 0
    },
    put: async (key, body, options) => {
      spend()
      return store.put(key, body, options)
    },
    putStream: async (key, body, options) => {
      spend()
      return store.putStream(key, body, options)
    },
    get: (key, options) => store.get(key, options),
    getStream: (key, options) => store.getStream(key, options),
    head: (key, options) => store.head(key, options),
    list: (prefix, options) => store.list(prefix, options),
    delete: async (key, options) => {
      spend()
      return store.delete(key, options)
    },
    deleteMany: async (keys, options) => {
      let count = 0
      for await (const key of keys) {
        spend()
        await store.delete(key, options)
        count++
      }
      return count
    },
  }
}
