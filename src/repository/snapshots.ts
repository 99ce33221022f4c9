import { HoldfastError } from '../base/errors.ts'
import { mapBounded } from '../base/semaphore.ts'
import type { RepositoryContext } from './context.ts'
import { repositoryError } from './errors.ts'
import { type Id, shortId } from './format/ids.ts'
import { type SnapshotFile, parseSnapshot } from './format/snapshot-file.ts'

export interface Snapshot extends SnapshotFile {
  readonly id: Id
}

/** Oldest first. One that is forgotten while we read is not among them: forgetting takes no lock. */
export async function listSnapshots(context: RepositoryContext, signal?: AbortSignal): Promise<Snapshot[]> {
  const ids = (await context.files.list('snapshots', signal)).map(({ id }) => id)
  const found = await mapBounded(ids, 4, (id, both) => findById(context, id, both), signal)
  const snapshots = found.filter((snapshot) => snapshot !== undefined)
  return snapshots.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
}

/** How to name a snapshot: by its id or the beginning of it, by a tag (the newest that has it), or `latest`. */
export type SnapshotQuery = { readonly id: string } | { readonly tag: string } | { readonly latest: true }

/** Undefined when none fits; REPOSITORY_SNAPSHOT_AMBIGUOUS when the beginning of an id fits several. */
export async function findSnapshot(
  context: RepositoryContext,
  query: SnapshotQuery,
  signal?: AbortSignal,
): Promise<Snapshot | undefined> {
  if (!('id' in query)) {
    const all = await listSnapshots(context, signal)
    return all.findLast((snapshot) => 'latest' in query || snapshot.tags.includes(query.tag))
  }
  const ids = (await context.files.list('snapshots', signal))
    .map(({ id }) => id)
    .filter((id) => query.id !== '' && id.startsWith(query.id))
  const [id, second] = ids
  if (second !== undefined) {
    throw repositoryError('REPOSITORY_SNAPSHOT_AMBIGUOUS', `${ids.length} snapshots begin with "${query.id}"; give more digits`)
  }
  return id === undefined ? undefined : await findById(context, id, signal)
}

async function findById(context: RepositoryContext, id: Id, signal?: AbortSignal): Promise<Snapshot | undefined> {
  try {
    return { id, ...parseSnapshot(await context.files.load('snapshots', id, signal), `snapshots/${shortId(id)}`) }
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'STORE_NOT_FOUND') return undefined
    throw error
  }
}

export async function getSnapshot(context: RepositoryContext, query: SnapshotQuery, signal?: AbortSignal): Promise<Snapshot> {
  const found = await findSnapshot(context, query, signal)
  if (found) return found
  const asked = 'id' in query ? `id "${query.id}"` : 'tag' in query ? `tag "${query.tag}"` : 'any id'
  throw repositoryError(
    'REPOSITORY_SNAPSHOT_NOT_FOUND',
    `no snapshot with ${asked} in the repository at ${context.store.description}`,
  )
}

/**
 * Deletes one snapshot. What only it referred to stays until a prune. Idempotent for a whole id. A shared lock is enough in spirit and none is
 * taken: one small file goes, and readers that began with it find all its blobs still there.
 */
export async function forgetSnapshot(context: RepositoryContext, id: string, signal?: AbortSignal): Promise<void> {
  const whole = /^[0-9a-f]{64}$/.test(id) ? id : (await getSnapshot(context, { id }, signal)).id
  await context.files.remove('snapshots', whole, signal)
}
