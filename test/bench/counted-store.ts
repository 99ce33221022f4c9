import type { ObjectStore } from '../../src/store/object-store.ts'

export interface StoreTraffic {
  requests: number
  bytesUp: number
  bytesDown: number
}

/** The store with its calls counted (a list is one call however many pages it has). With `forgetPacks` packs go nowhere: for streams longer than the disk. */
export function countedStore(
  store: ObjectStore,
  forgetPacks = false,
): { readonly store: ObjectStore; readonly traffic: StoreTraffic } {
  const traffic: StoreTraffic = { requests: 0, bytesUp: 0, bytesDown: 0 }
  const counted: ObjectStore = {
    description: store.description,
    put: async (key, body, options) => {
      traffic.requests++
      traffic.bytesUp += body.length
      return forgetPacks && key.startsWith('data/') ? { sizeBytes: body.length } : store.put(key, body, options)
    },
    putStream: (key, body, options) => store.putStream(key, body, options),
    get: async (key, options) => {
      traffic.requests++
      const bytes = await store.get(key, options)
      traffic.bytesDown += bytes.length
      return bytes
    },
    getStream: (key, options) => store.getStream(key, options),
    head: (key, options) => {
      traffic.requests++
      return store.head(key, options)
    },
    list: (prefix, options) => {
      traffic.requests++
      return store.list(prefix, options)
    },
    delete: (key, options) => {
      traffic.requests++
      return store.delete(key, options)
    },
    deleteMany: (keys, options) => store.deleteMany(keys, options),
  }
  return { store: counted, traffic }
}
