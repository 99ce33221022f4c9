import { HoldfastError } from '../base/errors.ts'
import { mapBounded } from '../base/semaphore.ts'
import type { RepositoryContext } from './context.ts'
import { repositoryError } from './errors.ts'
import { type Id, isId, shortId } from './format/ids.ts'
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

/** Which snapshots are meant; what is not given does not matter. */
export interface SnapshotFilter {
  /** One of these. */
  readonly hosts?: readonly string[]
  /** At least one of these lists, with all of its tags; an empty list means snapshots without tags. */
  readonly tags?: ReadonlyArray<readonly string[]>
  /** All of these. */
  readonly paths?: readonly string[]
}

export function matchesFilter(snapshot: Snapshot, { hosts = [], tags = [], paths = [] }: SnapshotFilter): boolean {
  return (
    (hosts.length === 0 || hosts.includes(snapshot.hostname ?? '')) &&
    (tags.length === 0 || tags.some((wanted) => hasTags(snapshot, wanted))) &&
    paths.every((path) => snapshot.paths.includes(path))
  )
}

function hasTags(snapshot: Snapshot, wanted: readonly string[]): boolean {
  if (wanted.length === 0) return snapshot.tags.length === 0
  return wanted.every((tag) => snapshot.tags.includes(tag))
}

/** How to name a snapshot: by its id or the beginning of it, by a tag (the newest that has it), or the newest of those meant. */
export type SnapshotQuery =
  | { readonly id: string }
  | { readonly tag: string }
  | { readonly latest: true; readonly filter?: SnapshotFilter }

/** Undefined when none fits; REPOSITORY_SNAPSHOT_AMBIGUOUS when the beginning of an id fits several. */
export async function findSnapshot(
  context: RepositoryContext,
  query: SnapshotQuery,
  signal?: AbortSignal,
): Promise<Snapshot | undefined> {
  if (!('id' in query)) {
    const all = await listSnapshots(context, signal)
    return all.findLast((snapshot) =>
      'latest' in query ? matchesFilter(snapshot, query.filter ?? {}) : snapshot.tags.includes(query.tag),
    )
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
  const whole = isId(id) ? id : (await getSnapshot(context, { id }, signal)).id
  await context.files.remove('snapshots', whole, signal)
}

/** Several at once, by whole ids or their beginnings; all are looked up before the first goes. Without a lock, as `forgetSnapshot`. */
export async function forgetSnapshots(
  context: RepositoryContext,
  ids: readonly string[],
  signal?: AbortSignal,
): Promise<readonly Id[]> {
  const whole: Id[] = []
  for (const id of ids) whole.push(isId(id) ? id : (await getSnapshot(context, { id }, signal)).id)
  await mapBounded(new Set(whole), 4, (id, both) => context.files.remove('snapshots', id, both), signal)
  return whole
}
