import { repositoryError } from '../repository/errors.ts'
import type { Repository } from '../repository/repository.ts'
import type { Snapshot, SnapshotQuery } from '../repository/snapshots.ts'
import { functionError } from './errors.ts'

/** The snapshot of an id (or the beginning of one) or a tag. FUNCTION_NO_SNAPSHOT says what to look at. */
export async function getSnapshot(repository: Repository, query: SnapshotQuery, signal: AbortSignal): Promise<Snapshot> {
  try {
    return await repository.getSnapshot(query, { signal })
  } catch (error) {
    if (!repositoryError.is(error, 'REPOSITORY_SNAPSHOT_NOT_FOUND')) throw error
    throw functionError(
      'FUNCTION_NO_SNAPSHOT',
      `Snapshot not found: ${error.message}; was it deleted, or is it in another repository?`,
      { cause: error },
    )
  }
}
