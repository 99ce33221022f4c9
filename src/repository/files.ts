import { mapBounded } from '../base/semaphore.ts'
import type { ObjectStore } from '../store/object-store.ts'
import { repositoryError } from './errors.ts'
import { unwrapEnvelope, wrapEnvelope } from './format/envelope.ts'
import { type Id, isId, sha256Hex, shortId } from './format/ids.ts'
import type { Sealer } from './format/seal.ts'
import { release } from './format/zstd.ts'

/** Files of a repository that are one sealed JSON text each; their name is the SHA-256 of the file. */
export type FileKind = 'index' | 'snapshots' | 'locks' | typeof markFolder

/**
 * What a store with retention locks, beside packs, keys and the config. Locks and marks come and go, and index files are replaced; what
 * an index says can be read anew out of the packs (`restic repair index`).
 */
const kept: ReadonlySet<FileKind> = new Set<FileKind>(['snapshots'])

/** Ours; restic looks into no folder of this name. */
export const markFolder = 'holdfast-marks'

export function packKey(id: Id): string {
  return `data/${id.slice(0, 2)}/${id}`
}

/** Reads and writes the sealed files. */
export interface RepositoryFiles {
  /** Takes the memory of the JSON over. */
  save(kind: FileKind, json: Buffer, signal?: AbortSignal): Promise<Id>
  /** The plain JSON; its name, tag and envelope were checked. */
  load(kind: FileKind, id: Id, signal?: AbortSignal): Promise<Buffer>
  /** Ids present, in order of id. */
  list(kind: FileKind | 'keys', signal?: AbortSignal): Promise<Array<{ readonly id: Id; readonly sizeBytes: number }>>
  remove(kind: FileKind, id: Id, signal?: AbortSignal): Promise<void>
  /** Loads many, a few at a time, in the order given. */
  loadAll<T>(kind: FileKind, ids: readonly Id[], parse: (json: Buffer, id: Id) => T, signal?: AbortSignal): Promise<T[]>
}

export function openFiles(store: ObjectStore, sealer: Sealer, version: number): RepositoryFiles {
  const load = async (kind: FileKind, id: Id, signal?: AbortSignal): Promise<Buffer> => {
    const what = `${kind}/${shortId(id)}`
    const sealed = await store.get(`${kind}/${id}`, { limitBytes: 1 << 29, ...(signal && { signal }) })
    if (sha256Hex(sealed) !== id)
      throw repositoryError('REPOSITORY_DAMAGED', `${what}: its bytes do not have the hash that is its name`)
    const opened = sealer.open(sealed, what)
    const json = unwrapEnvelope(opened, what)
    if (json.buffer !== opened.buffer) release(opened)
    return json
  }
  return {
    load,
    save: async (kind, json, signal) => {
      const wrapped = wrapEnvelope(json, version)
      release(json)
      const sealed = sealer.seal(wrapped)
      release(wrapped)
      const id = sha256Hex(sealed)
      await store.put(`${kind}/${id}`, sealed, { sha256: id, retain: kept.has(kind), ...(signal && { signal }) })
      release(sealed)
      return id
    },
    list: (kind, signal) => listIds(store, kind, signal),
    remove: (kind, id, signal) => store.delete(`${kind}/${id}`, signal ? { signal } : {}),
    loadAll: (kind, ids, parse, signal) =>
      mapBounded(ids, 4, async (id, both) => parse(await load(kind, id, both), id), signal),
  }
}

export async function listIds(
  store: ObjectStore,
  kind: string,
  signal?: AbortSignal,
): Promise<Array<{ id: Id; sizeBytes: number }>> {
  const found: Array<{ id: Id; sizeBytes: number }> = []
  for await (const { key, sizeBytes } of store.list(`${kind}/`, signal ? { signal } : {})) {
    const id = key.slice(key.lastIndexOf('/') + 1)
    if (isId(id)) found.push({ id, sizeBytes })
  }
  return found
}
