import { mapBounded } from '../base/semaphore.ts'
import { storeError } from '../store/errors.ts'
import type { RepositoryContext } from './context.ts'
import { repositoryError } from './errors.ts'
import { packKey } from './files.ts'
import type { Id } from './format/ids.ts'
import type { PackedBlob } from './format/pack-header.ts'
import { IndexWriter } from './index-writer.ts'
import { type RepositoryLock, withLock } from './lock.ts'
import { removeAllMarks } from './marks.ts'
import { type Survey, loadIndex, survey } from './prune-survey.ts'
import { repack } from './repack.ts'

export interface PruneOptions {
  /** Unneeded bytes that may stay beside needed ones, as a share of these: moving them costs reading and writing. @default 5 */
  readonly maxUnusedPercent?: number
  /** How long to wait for the locks of others, who must all be gone. @default as the repository was opened */
  readonly lockWaitMs?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: PruneProgress) => void
  /** Ids of the lock file; whoever takes over a dead run removes the last one by `Repository.removeLock`. */
  readonly onLock?: (id: Id) => void | Promise<void>
  readonly onWarning?: (warning: string) => void
}

export interface PruneProgress {
  readonly step: 'finding' | 'moving' | 'removing'
  /** Packs written, or removed, so far. */
  readonly packs: number
}

export interface PruneResult {
  /** Removed since nothing of them was needed, orphans of broken backups among them. */
  readonly packsDeleted: number
  /** Removed after what was needed of them was moved. */
  readonly packsRewritten: number
  readonly packsWritten: number
  /** Bytes of packs by which the store holds less now. */
  readonly bytesFreed: number
  /** Unneeded bytes that stayed. */
  readonly bytesUnused: number
}

/** Packs are removed so many at a time; before each the lock is looked at. */
const deleteBatch = 500
const headsAtOnce = 16

/**
 * Gives back the space of blobs that no snapshot needs. Alone: under an exclusive lock. New packs come first, then index files that know them and no
 * longer what goes, then the old index files go, then the packs. So wherever it breaks off, each index file lists packs that
 * are there, and every blob needed is in an index; the next prune removes what was left over.
 */
export async function prune(context: RepositoryContext, options: PruneOptions = {}): Promise<PruneResult> {
  const { signal, onLock, onWarning, lockWaitMs } = options
  return withLock(
    context,
    {
      exclusive: true,
      ...(signal && { signal }),
      ...(onLock && { onLock }),
      ...(onWarning && { onWarning }),
      ...(lockWaitMs !== undefined && { waitMs: lockWaitMs }),
    },
    async (locked, lock) => {
      options.onProgress?.({ step: 'finding', packs: 0 })
      // What a prune in steps would remove later is decided anew here.
      await removeAllMarks(context.files, locked)
      const found = await survey(context, options.maxUnusedPercent ?? 5, locked)
      warnLocked(found, onWarning)
      const written = await moveNeeded(context, found, { ...options, relist: true, signal: locked })
      const stayed = await removePacks(context, found, { lock, signal: locked, onProgress: options.onProgress })
      warnLocked({ locked: countOf(stayed, found.stored) }, onWarning)
      return resultOf(found, written, stayed)
    },
  )
}

export function warnLocked({ locked }: Pick<Survey, 'locked'>, onWarning: PruneOptions['onWarning']): void {
  if (locked.packs === 0) return
  onWarning?.(
    `${locked.packs} packs of ${locked.bytes} bytes that are not needed, or not whole, stay: the bucket's Object Lock keeps them; a later prune takes them`,
  )
}

interface Written {
  packs: number
  bytes: number
}

interface Moving {
  /** List what stays anew too, since the old index files will go. */
  readonly relist: boolean
  readonly signal: AbortSignal
  readonly onProgress?: PruneOptions['onProgress']
}

/** New packs and index files. Until here only additions: whoever reads finds everything in its old place as well. */
export async function moveNeeded(
  context: RepositoryContext,
  found: Survey,
  { relist, signal, onProgress }: Moving,
): Promise<Written> {
  const written: Written = { packs: 0, bytes: 0 }
  const { plan } = found
  const writer = new IndexWriter(context, signal)
  try {
    const moving = await blobsToMove(context, found, signal)
    const copied = await repack(context, {
      packs: moving,
      signal,
      onPack: (pack) => {
        written.packs++
        written.bytes += pack.sizeBytes
        writer.add(pack)
        onProgress?.({ step: 'moving', packs: written.packs })
      },
    })
    const wanted = plan.rewrite.reduce((sum, id) => sum + (found.usage.get(id)?.usedBlobs ?? 0), 0)
    if (copied !== wanted)
      throw repositoryError('REPOSITORY_DAMAGED', `${copied} of ${wanted} blobs were moved; nothing was removed`)
    if (relist) {
      const going = new Set([...plan.drop, ...plan.rewrite])
      await listKept(context, writer, { files: found.oldIndexes, going, signal })
    }
    await writer.flush()
    return written
  } finally {
    await writer.settled()
  }
}

/** Marks are of the index as it was, so this is asked before the first new pack is added to it. */
async function blobsToMove(
  context: RepositoryContext,
  { plan, used, oldIndexes }: Survey,
  signal: AbortSignal,
): Promise<Map<Id, PackedBlob[]>> {
  const wanted = new Set(plan.rewrite)
  const blobs = new Map<Id, PackedBlob[]>()
  for (const file of wanted.size > 0 ? oldIndexes : []) {
    for (const { id, blobs: all } of await loadIndex(context, file, signal)) {
      if (wanted.delete(id))
        blobs.set(
          id,
          all.filter((blob) => used.keeps(id, blob)),
        )
    }
  }
  return blobs
}

/** The packs that stay, out of the index files that will go. */
export async function listKept(
  context: RepositoryContext,
  writer: IndexWriter,
  { files, going, signal }: { readonly files: readonly Id[]; readonly going: ReadonlySet<Id>; readonly signal: AbortSignal },
): Promise<void> {
  const passed = new Set(going)
  for (const file of files) {
    for (const pack of await loadIndex(context, file, signal)) {
      if (passed.has(pack.id)) continue
      passed.add(pack.id)
      writer.add(pack)
    }
  }
}

interface Removing {
  readonly lock: RepositoryLock
  readonly signal: AbortSignal
  readonly onProgress: PruneOptions['onProgress']
}

/** No index file that stays lists what goes. */
async function removePacks(
  context: RepositoryContext,
  found: Survey,
  { lock, signal, onProgress }: Removing,
): Promise<ReadonlySet<Id>> {
  const { plan, orphans, stored, oldIndexes } = found
  await lock.assertHeld(signal)
  for (const id of oldIndexes) await context.files.remove('index', id, signal)
  const going = [...plan.drop, ...plan.rewrite, ...orphans].filter((id) => stored.has(id))
  return deletePacks(context, going, { lock, signal, onProgress })
}

/**
 * Packs that are in no index any more. Gives those that stayed: the store may have locked them since they were looked at, or by a rule of the bucket
 * that the Profile does not know. A later prune finds them as packs that no index lists.
 */
export async function deletePacks(
  context: RepositoryContext,
  going: readonly Id[],
  { lock, signal, onProgress }: Removing,
): Promise<ReadonlySet<Id>> {
  const stayed = new Set<Id>()
  for (let at = 0; at < going.length; at += deleteBatch) {
    await lock.assertHeld(signal)
    const batch = going.slice(at, at + deleteBatch)
    try {
      await context.store.deleteMany(batch.map(packKey), { signal })
    } catch (error) {
      if (!storeError.is(error, 'STORE_LOCKED')) throw error
      const heads = await mapBounded(batch, headsAtOnce, (id) => context.store.head(packKey(id), { signal }), signal)
      batch.forEach((id, index) => heads[index] && stayed.add(id))
    }
    onProgress?.({ step: 'removing', packs: Math.min(at + deleteBatch, going.length) - stayed.size })
  }
  return stayed
}

export function countOf(
  ids: ReadonlySet<Id>,
  stored: ReadonlyMap<Id, number>,
): { readonly packs: number; readonly bytes: number } {
  return { packs: ids.size, bytes: [...ids].reduce((sum, id) => sum + (stored.get(id) ?? 0), 0) }
}

function resultOf({ plan, orphans, stored }: Survey, written: Written, stayed: ReadonlySet<Id>): PruneResult {
  const gone = (ids: readonly Id[]): readonly Id[] => ids.filter((id) => !stayed.has(id))
  const sizeOf = (ids: readonly Id[]): number => gone(ids).reduce((sum, id) => sum + (stored.get(id) ?? 0), 0)
  return {
    packsDeleted: gone(plan.drop).length + gone(orphans).length,
    packsRewritten: gone(plan.rewrite).length,
    packsWritten: written.packs,
    bytesFreed: Math.max(0, sizeOf(plan.drop) + sizeOf(plan.rewrite) + sizeOf(orphans) - written.bytes),
    bytesUnused: plan.unusedBytesLeft,
  }
}
