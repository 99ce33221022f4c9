import type { RepositoryContext } from './context.ts'
import { repositoryError } from './errors.ts'
import { listIds } from './files.ts'
import type { Id } from './format/ids.ts'
import { IndexWriter } from './index-writer.ts'
import type { RepositoryLock } from './lock.ts'
import { type Mark, removeMark } from './marks.ts'
import { type PruneOptions, countOf, deletePacks, listKept, warnLocked } from './prune.ts'
import { loadIndex } from './prune-survey.ts'
import { listSnapshots } from './snapshots.ts'
import { findUsedBlobs } from './used-blobs.ts'

export interface SweepResult {
  readonly packsDeleted: number
  readonly bytesFreed: number
  /** Marked packs that something came to need, and which therefore stay. */
  readonly packsKept: number
}

export const nothingSwept: SweepResult = { packsDeleted: 0, bytesFreed: 0, packsKept: 0 }

interface SweepOptions {
  readonly lock: RepositoryLock
  readonly signal: AbortSignal
  readonly onProgress: PruneOptions['onProgress']
  readonly onWarning: PruneOptions['onWarning']
}

/** Removes the packs of marks whose time has come, under a lock that keeps out everybody who does not know of marks. */
export async function sweep(context: RepositoryContext, marks: readonly Mark[], options: SweepOptions): Promise<SweepResult> {
  const { lock, signal, onProgress, onWarning } = options
  const snapshots = await listSnapshots(context, signal)
  await context.index.refresh(signal)
  const { neededMarkedPacks } = await findUsedBlobs(context, snapshots, signal)
  const stored = new Map((await listIds(context.store, 'data', signal)).map(({ id, sizeBytes }) => [id, sizeBytes]))
  const marked = new Set(marks.flatMap(({ packs }) => packs))
  checkPresence(neededMarkedPacks, stored)
  const going = marked.difference(neededMarkedPacks)
  await dropFromIndex(context, going, options)
  const present = [...going].filter((id) => stored.has(id))
  const stayed = await deletePacks(context, present, { lock, signal, onProgress })
  warnLocked({ locked: countOf(stayed, stored) }, onWarning)
  // From here on what stayed is an ordinary pack again; what the store kept, one that no index lists.
  for (const mark of marks) await removeMark(context.files, mark, signal)
  return {
    packsDeleted: present.length - stayed.size,
    bytesFreed: countOf(new Set(present).difference(stayed), stored).bytes,
    packsKept: marked.size - going.size,
  }
}

function checkPresence(needed: ReadonlySet<Id>, stored: ReadonlyMap<Id, number>): void {
  for (const id of needed) {
    if (!stored.has(id))
      throw repositoryError('REPOSITORY_DAMAGED', `pack ${id}, which snapshots need, is not in the store; nothing was removed`)
  }
}

/** Index files that list what goes are written anew without it, then removed: every needed blob is in an index at every moment. */
async function dropFromIndex(
  context: RepositoryContext,
  going: ReadonlySet<Id>,
  { lock, signal }: SweepOptions,
): Promise<void> {
  const files: Id[] = []
  for (const file of context.index.fileIds) {
    const packs = await loadIndex(context, file, signal)
    if (packs.some(({ id }) => going.has(id))) files.push(file)
  }
  if (files.length === 0) return
  const writer = new IndexWriter(context, signal)
  try {
    await listKept(context, writer, { files, going, signal })
    await writer.flush()
  } finally {
    await writer.settled()
  }
  await lock.assertHeld(signal)
  for (const id of files) await context.files.remove('index', id, signal)
}
