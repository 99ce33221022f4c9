import { messageOf } from '../base/errors.ts'
import { mapBounded } from '../base/semaphore.ts'
import { BlobReader } from './blob-reader.ts'
import type { RepositoryContext } from './context.ts'
import { repositoryError } from './errors.ts'
import { packKey } from './files.ts'
import { type Id, isId, sha256Hex, shortId } from './format/ids.ts'
import { type IndexedPack, indexedPackSize, parseIndex } from './format/index-file.ts'
import { type PackedBlob, headerLengthBytes, parseHeader } from './format/pack-header.ts'
import { withLock } from './lock.ts'
import { OpenPool } from './pipeline/open-pool.ts'
import { listSnapshots } from './snapshots.ts'

export interface CheckOptions {
  /** Read every pack and open every blob, not only what leads to them. @default false */
  readonly readData?: boolean | DataSubset
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: {
    readonly packsRead: number
    readonly packCount: number
    readonly readBytes: number
  }) => void
  readonly onWarning?: (warning: string) => void
}

/**
 * A part of the packs: the `part`-th of `of` (each pack is in one and the same part every time, so that `of` runs read everything), or so many
 * percent by chance.
 */
export type DataSubset = { readonly part: number; readonly of: number } | { readonly percent: number }

/** What is wrong, each with the object it concerns; none means sound. */
export interface CheckReport {
  readonly findings: readonly CheckFinding[]
  readonly snapshotCount: number
  readonly packCount: number
  /** Packs in no index: left by backups that broke off. Harmless; a prune removes them. */
  readonly orphanPackCount: number
  readonly readBytes: number
}

export interface CheckFinding {
  readonly object: string
  readonly problem: string
}

/**
 * Reads what others write, so it takes a shared lock only (sweeps keep away): snapshots are listed before the index, hence all they need is in it, and packs of a
 * backup that runs meanwhile look like orphans.
 */
export async function checkRepository(context: RepositoryContext, options: CheckOptions = {}): Promise<CheckReport> {
  const { signal, onWarning } = options
  return withLock(
    context,
    { exclusive: false, withoutSweeps: true, readOnly: true, ...(signal && { signal }), ...(onWarning && { onWarning }) },
    async (locked) => {
      const findings: CheckFinding[] = []
      const note = (object: string, problem: string): void => void findings.push({ object, problem })
      const snapshots = await listSnapshots(context, locked)
      const packs = await loadPacks(context, locked)
      await context.index.refresh(locked)
      const sizes = await packSizes(context, locked)
      for (const pack of packs.values()) checkPresence(pack, sizes.get(pack.id), note)
      await checkTrees(
        context,
        snapshots.map((snapshot) => snapshot.tree),
        note,
        locked,
      )
      const present = [...packs.values()].filter((pack) => sizes.has(pack.id))
      const chosen = choosePacks(present, options.readData ?? false)
      const readBytes = await readPacks(context, chosen, { note, ...options, signal: locked })
      const orphanPackCount = [...sizes.keys()].filter((id) => !packs.has(id)).length
      return { findings, snapshotCount: snapshots.length, packCount: packs.size, orphanPackCount, readBytes }
    },
  )
}

function choosePacks(packs: readonly IndexedPack[], subset: NonNullable<CheckOptions['readData']>): readonly IndexedPack[] {
  if (typeof subset === 'boolean') return subset ? packs : []
  if ('part' in subset) {
    const { part, of } = subset
    if (!Number.isInteger(of) || !Number.isInteger(part) || of < 1 || of > 256 || part < 1 || part > of)
      throw repositoryError('REPOSITORY_BAD_ARGUMENT', `${part}/${of} is no part of the data: give 1/n to n/n, n at most 256`)
    return packs.filter(({ id }) => Number.parseInt(id.slice(0, 2), 16) % of === part - 1)
  }
  if (!(subset.percent > 0 && subset.percent <= 100))
    throw repositoryError(
      'REPOSITORY_BAD_ARGUMENT',
      `${subset.percent} % is no part of the data: give more than 0, at most 100`,
    )
  const count = Math.ceil((packs.length * subset.percent) / 100)
  const byChance = packs.map((pack) => ({ pack, place: Math.random() })).toSorted((a, b) => a.place - b.place)
  return byChance.slice(0, count).map(({ pack }) => pack)
}

type Note = (object: string, problem: string) => void

async function loadPacks(context: RepositoryContext, signal: AbortSignal): Promise<Map<Id, IndexedPack>> {
  const ids = (await context.files.list('index', signal)).map(({ id }) => id)
  const lists = await context.files.loadAll('index', ids, (json, id) => parseIndex(json, `index/${shortId(id)}`), signal)
  return new Map(lists.flat().map((pack) => [pack.id, pack]))
}

async function packSizes({ store }: RepositoryContext, signal: AbortSignal): Promise<Map<Id, number>> {
  const sizes = new Map<Id, number>()
  for await (const { key, sizeBytes } of store.list('data/', { signal })) {
    const id = key.slice(key.lastIndexOf('/') + 1)
    if (isId(id)) sizes.set(id, sizeBytes)
  }
  return sizes
}

function checkPresence(pack: IndexedPack, sizeBytes: number | undefined, note: Note): void {
  const expected = indexedPackSize(pack)
  if (sizeBytes === undefined) note(`pack ${pack.id}`, 'is in an index but not in the store')
  else if (sizeBytes !== expected) note(`pack ${pack.id}`, `has ${sizeBytes} bytes instead of ${expected}`)
}

async function checkTrees(context: RepositoryContext, roots: readonly Id[], note: Note, signal: AbortSignal): Promise<void> {
  const reader = new BlobReader(context, signal)
  const seen = new Set<Id>()
  const visit = async (tree: Id): Promise<void> => {
    if (seen.has(tree)) return
    seen.add(tree)
    for (const node of await reader.tree(tree)) {
      const missing = node.content?.find((id) => !context.index.find('data', id))
      if (missing)
        note(`tree ${tree}`, `file ${JSON.stringify(node.name.toString())} needs data blob ${missing}, which is in no index`)
      if (node.subtree) await visitOrNote(node.subtree)
    }
  }
  const visitOrNote = async (tree: Id): Promise<void> => {
    try {
      await visit(tree)
    } catch (error) {
      signal.throwIfAborted()
      note(`tree ${tree}`, messageOf(error))
    }
  }
  try {
    for (const root of roots) await visitOrNote(root)
  } finally {
    await reader.close()
  }
}

interface ReadPacksOptions {
  readonly note: Note
  readonly signal: AbortSignal
  readonly onProgress?: CheckOptions['onProgress']
}

async function readPacks(
  context: RepositoryContext,
  packs: readonly IndexedPack[],
  { note, signal, onProgress }: ReadPacksOptions,
): Promise<number> {
  const pool = new OpenPool(context.sealer, context.threads.open)
  let readBytes = 0
  let packsRead = 0
  try {
    await mapBounded(
      packs,
      3,
      async (pack, both) => {
        try {
          const bytes = await readPack(context, pack, pool, both)
          readBytes += bytes
        } catch (error) {
          both.throwIfAborted()
          note(`pack ${pack.id}`, messageOf(error))
        }
        onProgress?.({ packsRead: ++packsRead, packCount: packs.length, readBytes })
      },
      signal,
    )
    return readBytes
  } finally {
    await pool.stop()
  }
}

/** The whole pack: its hash, its header against the index, every blob. */
async function readPack(
  { store, sealer }: RepositoryContext,
  pack: IndexedPack,
  pool: OpenPool,
  signal: AbortSignal,
): Promise<number> {
  const whole = await store.get(packKey(pack.id), { limitBytes: 1 << 29, signal })
  const bytes = Buffer.from(whole.buffer, whole.byteOffset, whole.length)
  const sizeBytes = bytes.length
  const damaged = (fact: string): Error => repositoryError('REPOSITORY_DAMAGED', `pack ${shortId(pack.id)}: ${fact}`)
  if (sha256Hex(bytes) !== pack.id) throw damaged('its bytes do not have the hash that is its name')
  const length = bytes.readUInt32LE(bytes.length - headerLengthBytes)
  const end = bytes.length - headerLengthBytes
  if (length > end) throw damaged('the length of its header is impossible')
  const header = parseHeader(
    sealer.open(bytes.subarray(end - length, end), `header of pack ${shortId(pack.id)}`),
    `pack ${shortId(pack.id)}`,
  )
  const listed = new Map(pack.blobs.map((blob) => [blob.offset, blob]))
  if (header.length !== pack.blobs.length || !header.every((blob) => sameBlob(blob, listed.get(blob.offset))))
    throw damaged('its header says otherwise than the index')
  // Gives the bytes away.
  await pool.open(bytes, header)
  return sizeBytes
}

function sameBlob(a: PackedBlob, b: PackedBlob | undefined): boolean {
  return (
    b !== undefined &&
    a.id === b.id &&
    a.type === b.type &&
    a.length === b.length &&
    a.uncompressedLength === b.uncompressedLength
  )
}
