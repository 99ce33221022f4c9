import type { ObjectStore } from '../store/object-store.ts'

/** Where in a bucket repositories are: key prefixes at which there is a config and a key file. One listing of everything. */
export async function findRepositories(store: ObjectStore, signal: AbortSignal): Promise<string[]> {
  const configs = new Set<string>()
  const withKeys = new Set<string>()
  for await (const { key } of store.list('', { signal })) {
    const [, place = '', what] = /^(?:(.+)\/)?(config|keys\/[0-9a-f]{64})$/.exec(key) ?? []
    if (what !== undefined) (what === 'config' ? configs : withKeys).add(place)
  }
  return [...configs.intersection(withKeys)].toSorted()
}
