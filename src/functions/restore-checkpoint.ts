import type { Repository } from '../repository/repository.ts'
import { list, object, text } from '../schema/build.ts'
import { fits } from '../schema/check.ts'
import type { FunctionContext } from './context.ts'

/** That the command was about to get its input, and the last two ids of the lock: one takes the place of the other while it is refreshed. */
const RestoreCheckpoint = object({
  restoring: text('Id of the snapshot.'),
  restoreLocks: list(text('Id of a lock.'), 'Locks of the restore.'),
})

/** Removes the lock that an earlier attempt left, which would keep a prune waiting until it is stale. */
export async function removeRestoreLocks(
  ctx: Pick<FunctionContext, 'resumed' | 'signal'>,
  repository: Pick<Repository, 'removeLock'>,
): Promise<void> {
  if (!fits(RestoreCheckpoint, ctx.resumed)) return
  for (const id of ctx.resumed.restoreLocks) await repository.removeLock(id, { signal: ctx.signal })
}

/** Notes each lock of a restore in the Run, beside the snapshot. */
export function noteRestoreLocks(
  ctx: Pick<FunctionContext, 'checkpoint'>,
  snapshotId: string,
): { readonly onLock: (id: string) => Promise<void> } {
  let restoreLocks: readonly string[] = []
  return {
    onLock: async (id) => {
      restoreLocks = [...restoreLocks.slice(-1), id]
      await ctx.checkpoint({ restoring: snapshotId, restoreLocks })
    },
  }
}
