import { list, object, text } from '../schema/build.ts'
import { fits } from '../schema/check.ts'
import { repositoryError } from '../repository/errors.ts'
import type { Repository } from '../repository/repository.ts'
import type { FunctionContext } from './context.ts'

/** Locks of prunes in the making. A prune keeps everybody out, so the lock of one that died must not stand for its 30 minutes. */
const LockCheckpoint = object({
  pruneLocks: list(text('Id of a lock.'), 'Every lock so far, the last one of each repository among them.'),
})

/** Backups into the same repository may take their time; a prune has to have it alone. */
const lockWaitMs = 5 * 60_000

type Reclaim = (repository: Repository, signal?: AbortSignal) => Promise<number | undefined>

/**
 * Makes what gives the space of forgotten snapshots back and says how many bytes that were; one per run of a function. Others at work in the repository
 * cost a warning only, and undefined: the next prune takes along what this one left.
 */
export function reclaimer(ctx: Pick<FunctionContext, 'checkpoint' | 'resumed' | 'signal' | 'warn'>): Reclaim {
  const left = fits(LockCheckpoint, ctx.resumed) ? ctx.resumed.pruneLocks : []
  const pruneLocks = [...left]
  return async (repository, signal = ctx.signal) => {
    for (const id of left) await repository.removeLock(id, { signal })
    try {
      const { bytesFreed } = await repository.prune({
        lockWaitMs,
        signal,
        onLock: async (id) => {
          pruneLocks.push(id)
          await ctx.checkpoint({ pruneLocks: [...pruneLocks] })
        },
        onWarning: (warning) => ctx.warn(warning),
      })
      return bytesFreed
    } catch (error) {
      if (!repositoryError.is(error, 'REPOSITORY_LOCKED')) throw error
      ctx.warn(`reclaimSpace: the snapshot was removed, its space was not given back: ${error.message}; the next prune does it`)
      return undefined
    }
  }
}
