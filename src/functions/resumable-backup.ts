import type { BackupOptions } from '../repository/backup-session.ts'
import type { Repository } from '../repository/repository.ts'
import { list, object, text } from '../schema/build.ts'
import { fits } from '../schema/check.ts'
import { resumedTag } from './backup-tag.ts'
import type { FunctionContext } from './context.ts'

/** Beside the tag: ids of the lock of a backup in the making, the last two, since one takes the place of the other while it is refreshed. */
const BackupCheckpoint = object({
  backupTag: text('Tag of the snapshot.'),
  backupLocks: list(text('Id of a lock.'), 'Locks of the backup.'),
})

export interface ResumableBackup extends Pick<BackupOptions, 'adoptPacks' | 'onLock'> {
  /** To be called before the snapshot is written: what the command reported is in no snapshot. */
  noteOutputs(reported: Readonly<Record<string, string>>): Promise<void>
}

/**
 * What lets a backup go on where the attempt before it was cut off. Its lock is removed, and the packs that it had stored and listed nowhere are adopted: they are
 * found by listing the store, so the Run need not hold their ids, and those of its last seconds are among them. What was on its way is sent again.
 */
export async function resumableBackup(
  ctx: Pick<FunctionContext, 'checkpoint' | 'resumed' | 'signal'>,
  repository: Pick<Repository, 'removeLock'>,
  backupTag: string,
): Promise<ResumableBackup> {
  const left = fits(BackupCheckpoint, ctx.resumed) ? ctx.resumed.backupLocks : []
  for (const id of left) await repository.removeLock(id, { signal: ctx.signal })
  let backupLocks: readonly string[] = []
  let outputs: Readonly<Record<string, string>> = {}
  const note = (): Promise<void> =>
    ctx.checkpoint({ backupTag, backupLocks, ...(Object.keys(outputs).length > 0 && { outputs }) })
  return {
    ...(resumedTag(ctx.resumed) !== undefined && { adoptPacks: 'unlisted' as const }),
    onLock: async (id) => {
      backupLocks = [...backupLocks.slice(-1), id]
      await note()
    },
    noteOutputs: async (reported) => {
      outputs = reported
      if (Object.keys(outputs).length > 0) await note()
    },
  }
}
