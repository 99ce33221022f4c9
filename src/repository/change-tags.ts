import type { RepositoryContext } from './context.ts'
import { repositoryError } from './errors.ts'
import type { Id } from './format/ids.ts'
import { renderSnapshot } from './format/snapshot-file.ts'
import { withLock } from './lock.ts'
import { getSnapshot } from './snapshots.ts'

export interface ChangeTagsOptions {
  /** Whole ids, or beginnings that fit one snapshot. */
  readonly ids: readonly string[]
  /** Instead of all that are there. */
  readonly set?: readonly string[]
  readonly add?: readonly string[]
  readonly remove?: readonly string[]
  readonly signal?: AbortSignal
  readonly onWarning?: (warning: string) => void
}

export interface ChangedTags {
  readonly before: Id
  /** A snapshot with other tags is another file; the first id stays in its `original`. */
  readonly id: Id
  readonly tags: readonly string[]
}

/**
 * Gives snapshots other tags; those that have them already are left alone. Alone, as in restic: while one file takes the place of another, somebody who
 * lists might see neither.
 */
export async function changeTags(context: RepositoryContext, options: ChangeTagsOptions): Promise<ChangedTags[]> {
  const { ids, set, add = [], remove = [], signal, onWarning } = options
  if (set && (add.length > 0 || remove.length > 0))
    throw repositoryError('REPOSITORY_BAD_ARGUMENT', 'tags are either set, or added and removed')
  return withLock(
    context,
    { exclusive: true, ...(signal && { signal }), ...(onWarning && { onWarning }) },
    async (locked, lock) => {
      const changed: ChangedTags[] = []
      for (const query of ids) {
        const { id, ...snapshot } = await getSnapshot(context, { id: query }, locked)
        const kept = (set ?? [...snapshot.tags, ...add]).filter((tag) => !remove.includes(tag))
        const tags = [...new Set(kept)]
        if (tags.join('\0') === snapshot.tags.join('\0')) continue
        await lock.assertHeld(locked)
        const json = renderSnapshot({ ...snapshot, tags, original: snapshot.original ?? id })
        const next = await context.files.save('snapshots', json, locked)
        await context.files.remove('snapshots', id, locked)
        changed.push({ before: id, id: next, tags })
      }
      return changed
    },
  )
}
