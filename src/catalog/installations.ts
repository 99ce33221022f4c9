import type { CallOptions, ObjectStore } from '../store/object-store.ts'
import { chainsFolder } from './chain-store.ts'
import { decodePart } from './record-key.ts'

/** Which installations ever wrote backups of these namespaces into a location: each has chains there, which stay. */
export async function installationsAt(
  location: ObjectStore,
  namespaces: ReadonlySet<string>,
  options: CallOptions = {},
): Promise<Set<string>> {
  const folders = new Set([...namespaces].map(encodeURIComponent))
  const found = new Set<string>()
  for await (const { key } of location.list(`${chainsFolder}/`, options)) {
    const [installation = '', folder = ''] = key.slice(chainsFolder.length + 1).split('/')
    if (folders.has(folder)) found.add(decodePart(installation))
  }
  return found
}
