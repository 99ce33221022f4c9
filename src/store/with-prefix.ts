import type { ObjectInfo, ObjectStore } from './object-store.ts'
import { checkKey, joinKey } from './key.ts'

/** The part of a store below a folder: keys go in and come out without it. An empty prefix gives the store itself. */
export function withPrefix(store: ObjectStore, prefix: string): ObjectStore {
  const folder = joinKey(prefix)
  if (folder === '') return store
  const at = (key: string): string => {
    checkKey(key)
    return `${folder}/${key}`
  }
  const inside = (info: ObjectInfo): ObjectInfo => ({ ...info, key: info.key.slice(folder.length + 1) })
  return {
    description: `${store.description} below "${folder}/"`,
    ...(store.retentionMs === undefined ? {} : { retentionMs: store.retentionMs }),
    put: async (key, body, options) => store.put(at(key), body, options),
    putStream: async (key, body, options) => store.putStream(at(key), body, options),
    get: async (key, options) => store.get(at(key), options),
    getStream: (key, options) => store.getStream(at(key), options),
    head: async (key, options) => {
      const info = await store.head(at(key), options)
      return info && inside(info)
    },
    list: async function* (start, options) {
      for await (const info of store.list(`${folder}/${start}`, options)) yield inside(info)
    },
    delete: async (key, options) => store.delete(at(key), options),
    deleteMany: async (keys, options) => store.deleteMany(mapKeys(keys, at), options),
  }
}

async function* mapKeys(keys: AsyncIterable<string> | Iterable<string>, at: (key: string) => string): AsyncGenerator<string> {
  for await (const key of keys) yield at(key)
}
