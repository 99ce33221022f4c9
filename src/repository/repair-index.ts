import { mapBounded } from '../base/semaphore.ts'
import { messageOf } from '../base/errors.ts'
import { readPackHeader } from './adopt-packs.ts'
import type { RepositoryContext } from './context.ts'
import { repositoryError } from './errors.ts'
import { listIds } from './files.ts'
import { type Id, shortId } from './format/ids.ts'
import { type IndexedPack, indexedPackSize } from './format/index-file.ts'
import { packSize } from './format/pack-header.ts'
import { IndexWriter } from './index-writer.ts'
import { LoadedIndex } from './loaded-index.ts'
import { withLock } from './lock.ts'
import { loadIndex } from './prune-survey.ts'

export interface RepairIndexOptions {
  /** Believe no index: read the header of every pack. @default false: only of packs that are in none or have another size */
  readonly readAllPacks?: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: { readonly packsRead: number; readonly packCount: number }) => void
  readonly onWarning?: (warning: string) => void
}

export interface RepairIndexResult {
  /** Packs that were in no index, or not as they are. */
  readonly packsAdded: number
  /** Packs that were in an index and are not in the store: what they held is lost unless another pack has it. */
  readonly packsGone: readonly Id[]
  /** Packs whose header cannot be read; they are in no index now and were left where they are. */
  readonly packsUnreadable: readonly Id[]
  readonly indexesDamaged: readonly Id[]
}

const headersAtOnce = 8

/** Makes the index anew from the packs that are there, alone. New index files come first, then the old ones go, so nothing is unlisted meanwhile. */
export async function repairIndex(shared: RepositoryContext, options: RepairIndexOptions = {}): Promise<RepairIndexResult> {
  const { signal, onWarning } = options
  const context = { ...shared, index: new LoadedIndex(shared.files) }
  return withLock(
    context,
    { exclusive: true, ...(signal && { signal }), ...(onWarning && { onWarning }) },
    async (locked, lock) => {
      const oldFiles = (await context.files.list('index', locked)).map(({ id }) => id)
      const stored = new Map((await listIds(context.store, 'data', locked)).map(({ id, sizeBytes }) => [id, sizeBytes]))
      const known = await readIndexes(context, oldFiles, stored, { ...options, signal: locked })
      const missing = [...stored.keys()].filter((id) => !known.good.has(id))
      const read = await readHeaders(context, missing, { ...options, signal: locked })
      if (missing.length === 0 && known.gone.size === 0 && known.damaged.length === 0) return nothingWrong
      await writeIndexes(context, [...known.good.values(), ...read.packs], locked)
      await lock.assertHeld(locked)
      for (const id of oldFiles) await context.files.remove('index', id, locked)
      return {
        packsAdded: read.packs.length,
        packsGone: [...known.gone],
        packsUnreadable: read.unreadable,
        indexesDamaged: known.damaged,
      }
    },
  )
}

const nothingWrong: RepairIndexResult = { packsAdded: 0, packsGone: [], packsUnreadable: [], indexesDamaged: [] }

type Options = RepairIndexOptions & { readonly signal: AbortSignal }

/** Packs that an index lists and that have the size which it makes them. */
async function readIndexes(
  context: RepositoryContext,
  files: readonly Id[],
  stored: ReadonlyMap<Id, number>,
  { readAllPacks = false, signal, onWarning }: Options,
): Promise<{ readonly good: Map<Id, IndexedPack>; readonly gone: Set<Id>; readonly damaged: readonly Id[] }> {
  const good = new Map<Id, IndexedPack>()
  const gone = new Set<Id>()
  const damaged: Id[] = []
  for (const file of files) {
    try {
      for (const pack of await loadIndex(context, file, signal)) {
        if (!stored.has(pack.id)) gone.add(pack.id)
        else if (!readAllPacks && stored.get(pack.id) === indexedPackSize(pack)) good.set(pack.id, pack)
      }
    } catch (error) {
      if (!repositoryError.is(error)) throw error
      damaged.push(file)
      onWarning?.(`index ${shortId(file)} is damaged and is replaced: ${messageOf(error)}`)
    }
  }
  return { good, gone, damaged }
}

async function readHeaders(
  context: RepositoryContext,
  ids: readonly Id[],
  { signal, onProgress, onWarning }: Options,
): Promise<{ readonly packs: readonly IndexedPack[]; readonly unreadable: readonly Id[] }> {
  const unreadable: Id[] = []
  let packsRead = 0
  const packs = await mapBounded(
    ids,
    headersAtOnce,
    async (id, both) => {
      const pack = await readOne(context, id, both, onWarning)
      if (!pack) unreadable.push(id)
      onProgress?.({ packsRead: ++packsRead, packCount: ids.length })
      return pack
    },
    signal,
  )
  return { packs: packs.filter((pack) => pack !== undefined), unreadable }
}

async function readOne(
  context: RepositoryContext,
  id: Id,
  signal: AbortSignal,
  onWarning: RepairIndexOptions['onWarning'],
): Promise<IndexedPack | undefined> {
  try {
    const { blobs, sizeBytes } = await readPackHeader(context, id, signal)
    if (packSize(blobs) === sizeBytes) return { id, blobs }
    onWarning?.(`pack ${id} has ${sizeBytes} bytes instead of ${packSize(blobs)}; it is left out of the index`)
  } catch (error) {
    if (!repositoryError.is(error)) throw error
    onWarning?.(`pack ${id} is left out of the index: ${messageOf(error)}`)
  }
  return undefined
}

async function writeIndexes(context: RepositoryContext, packs: readonly IndexedPack[], signal: AbortSignal): Promise<void> {
  const writer = new IndexWriter(context, signal)
  try {
    for (const pack of packs) writer.add(pack)
    await writer.flush()
  } finally {
    await writer.settled()
  }
}
