import type { Repository } from '../repository/repository.ts'
import type { SnapshotQuery } from '../repository/snapshots.ts'
import type { FunctionContext } from './context.ts'

/** Removes a snapshot and says how many went: 0 when there is none of that id or tag, since then the work is done already. */
export async function forgetSnapshot(
  ctx: Pick<FunctionContext, 'log' | 'signal'>,
  repository: Repository,
  query: SnapshotQuery,
): Promise<number> {
  const found = await repository.findSnapshot(query, { signal: ctx.signal })
  if (!found) {
    ctx.log.info({ ...query }, 'Snapshot is gone already')
    return 0
  }
  await repository.forgetSnapshot(found.id, { signal: ctx.signal })
  return 1
}
