import { mapBounded } from '../base/semaphore.ts'
import type { RepositoryContext } from './context.ts'
import { repositoryError } from './errors.ts'
import { listIds, packKey } from './files.ts'
import { type Id, shortId } from './format/ids.ts'
import { type IndexedPack, indexedPackSize, parseIndex } from './format/index-file.ts'
import { type PackUsage, type PrunePlan, planPrune } from './prune-plan.ts'
import { listSnapshots } from './snapshots.ts'
import { type UsedBlobs, findUsedBlobs } from './used-blobs.ts'

/** Index files below this are joined on the occasion, or when there are many. */
const smallIndexBlobs = 5_000
const manySmallIndexes = 10
/** Packs that are asked for their lock at once. */
const headsAtOnce = 16

/** What is there and what is to be done. */
export interface Survey {
  readonly plan: PrunePlan
  readonly used: UsedBlobs
  readonly usage: ReadonlyMap<Id, UsageCount>
  /** Size of every pack in the store. */
  readonly stored: ReadonlyMap<Id, number>
  /** Packs in the store that are in no index. */
  readonly orphans: readonly Id[]
  /** Packs that would go, or be moved, but are under retention: they stay as they are, and a later prune takes them. */
  readonly locked: { readonly packs: number; readonly bytes: number }
  /** Index files that list what goes, and small ones, which are joined on the occasion. */
  readonly oldIndexes: readonly Id[]
}

interface UsageCount extends PackUsage {
  usedBytes: number
  unusedBytes: number
  usedBlobs: number
  hasData: boolean
  hasTrees: boolean
  readonly sizeBytes: number
}

/**
 * Reads what there is and decides; changes nothing. Marked packs are left out. Under an exclusive lock it stays true; beside others it is what may
 * be marked.
 */
export async function survey(context: RepositoryContext, maxUnusedPercent: number, signal: AbortSignal): Promise<Survey> {
  const snapshots = await listSnapshots(context, signal)
  await context.index.refresh(signal)
  const indexIds = context.index.fileIds
  const used = await findUsedBlobs(context, snapshots, signal)
  const { usage, packsOf } = await countUsage(context, indexIds, used, signal)
  const stored = new Map((await listIds(context.store, 'data', signal)).map(({ id, sizeBytes }) => [id, sizeBytes]))
  checkNeededPacks(used, usage, stored)
  const orphans = [...stored.keys()].filter((id) => !usage.has(id) && !context.index.markedPacks.has(id))
  const wished = planPrune([...usage.values()], maxUnusedPercent)
  const locked = await lockedPacks(context, [...wished.drop, ...wished.rewrite, ...orphans], signal)
  const plan = withoutLocked(wished, locked, usage)
  const going = new Set([...plan.drop, ...plan.rewrite])
  const touched = indexIds.filter((id) => packsOf.get(id)?.packs.some((pack) => going.has(pack)))
  const small = indexIds.filter((id) => (packsOf.get(id)?.blobCount ?? 0) < smallIndexBlobs)
  return {
    plan,
    used,
    usage,
    stored,
    orphans: orphans.filter((id) => !locked.has(id)),
    locked: { packs: locked.size, bytes: [...locked].reduce((sum, id) => sum + (stored.get(id) ?? 0), 0) },
    oldIndexes: touched.length > 0 || small.length >= manySmallIndexes ? [...new Set([...touched, ...small])] : [],
  }
}

/** Of a store that locks what is put. A copy of what cannot be removed would only cost space, so such packs are not moved either. */
async function lockedPacks(context: RepositoryContext, packs: readonly Id[], signal: AbortSignal): Promise<ReadonlySet<Id>> {
  const { store, clock } = context
  if (store.retentionMs === undefined) return new Set()
  const now = clock.now()
  const heads = await mapBounded(packs, headsAtOnce, (id, each) => store.head(packKey(id), { signal: each }), signal)
  return new Set(packs.filter((_id, index) => (heads[index]?.lockedUntil ?? 0) > now))
}

function withoutLocked(plan: PrunePlan, locked: ReadonlySet<Id>, usage: ReadonlyMap<Id, UsageCount>): PrunePlan {
  if (locked.size === 0) return plan
  const isFree = (id: Id): boolean => !locked.has(id)
  const stays = [...plan.drop, ...plan.rewrite].filter((id) => locked.has(id))
  return {
    drop: plan.drop.filter(isFree),
    rewrite: plan.rewrite.filter(isFree),
    unusedBytesLeft: stays.reduce((sum, id) => sum + (usage.get(id)?.unusedBytes ?? 0), plan.unusedBytesLeft),
  }
}

interface IndexContent {
  readonly packs: readonly Id[]
  readonly blobCount: number
}

/** One index file at a time: all their entries as objects would be many times the index in memory. */
async function countUsage(
  context: RepositoryContext,
  indexIds: readonly Id[],
  used: UsedBlobs,
  signal: AbortSignal,
): Promise<{ readonly usage: Map<Id, UsageCount>; readonly packsOf: Map<Id, IndexContent> }> {
  const usage = new Map<Id, UsageCount>()
  const packsOf = new Map<Id, IndexContent>()
  for (const file of indexIds) {
    const packs = await loadIndex(context, file, signal)
    packsOf.set(file, { packs: packs.map(({ id }) => id), blobCount: packs.reduce((sum, { blobs }) => sum + blobs.length, 0) })
    // A pack may be in several index files.
    for (const pack of packs)
      if (!usage.has(pack.id) && !context.index.markedPacks.has(pack.id)) usage.set(pack.id, usageOf(pack, used))
  }
  return { usage, packsOf }
}

function usageOf(pack: IndexedPack, used: UsedBlobs): UsageCount {
  const count = { usedBytes: 0, unusedBytes: 0, usedBlobs: 0, hasData: false, hasTrees: false }
  for (const blob of pack.blobs) {
    if (blob.type === 'data') count.hasData = true
    else count.hasTrees = true
    if (used.keeps(pack.id, blob)) {
      count.usedBlobs++
      count.usedBytes += blob.length
    } else count.unusedBytes += blob.length
  }
  return { id: pack.id, sizeBytes: indexedPackSize(pack), ...count }
}

export async function loadIndex(context: RepositoryContext, id: Id, signal: AbortSignal): Promise<IndexedPack[]> {
  return parseIndex(await context.files.load('index', id, signal), `index/${shortId(id)}`)
}

/** Every blob needed must be in exactly one pack that stays or is moved, and that pack must be there whole. Else nothing is touched. */
function checkNeededPacks(used: UsedBlobs, usage: ReadonlyMap<Id, UsageCount>, stored: ReadonlyMap<Id, number>): void {
  let counted = 0
  for (const { id, usedBlobs, sizeBytes } of usage.values()) {
    counted += usedBlobs
    if (usedBlobs === 0 || stored.get(id) === sizeBytes) continue
    const fact = stored.has(id) ? `has ${stored.get(id)} bytes instead of ${sizeBytes}` : 'is not in the store'
    throw repositoryError('REPOSITORY_DAMAGED', `pack ${id}, which snapshots need, ${fact}; nothing was removed`)
  }
  if (counted !== used.count)
    throw repositoryError(
      'REPOSITORY_DAMAGED',
      `${used.count} blobs are needed, but ${counted} were found in packs; nothing was removed`,
    )
}
