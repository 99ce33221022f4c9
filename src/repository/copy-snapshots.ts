import type { RepositoryContext } from './context.ts'
import { BlobReader } from './blob-reader.ts'
import { type Id, shortId } from './format/ids.ts'
import { renderSnapshot } from './format/snapshot-file.ts'
import { parseTree } from './format/tree.ts'
import { compress } from './format/zstd.ts'
import type { BlobType } from './format/pack-header.ts'
import { IndexWriter } from './index-writer.ts'
import { withLock } from './lock.ts'
import { PackWriter } from './repack.ts'
import { type Snapshot, getSnapshot, listSnapshots } from './snapshots.ts'

export interface CopyOptions {
  /** Whole ids, or beginnings that fit one snapshot. @default all that are not there yet */
  readonly ids?: readonly string[]
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: CopyProgress) => void
  readonly onWarning?: (warning: string) => void
}

export interface CopyProgress {
  readonly snapshotsDone: number
  readonly snapshotCount: number
  readonly copiedBlobs: number
  /** Plain bytes. */
  readonly copiedBytes: number
}

export interface CopiedSnapshot {
  readonly from: Id
  readonly to: Id
  /** It was there before; nothing was done. */
  readonly already: boolean
}

export interface CopyResult {
  readonly snapshots: readonly CopiedSnapshot[]
  readonly copiedBlobs: number
  readonly copiedBytes: number
}

/**
 * Copies snapshots and the blobs they need from one repository into another, which may have other keys. Each blob is opened and its hash checked, then
 * sealed with the key of the other. In this order for each snapshot: packs, index, snapshot; so it may break off anywhere, and the next
 * copy goes on from there.
 */
export async function copySnapshots(
  source: RepositoryContext,
  target: RepositoryContext,
  options: CopyOptions = {},
): Promise<CopyResult> {
  const { signal, onWarning } = options
  const call = { exclusive: false, ...(signal && { signal }), ...(onWarning && { onWarning }) }
  return withLock(source, { ...call, readOnly: true }, (reading) =>
    withLock(target, { ...call, signal: reading }, async (both, lock) => {
      const wanted = await wantedSnapshots(source, options.ids, both)
      await Promise.all([source.index.refresh(both), target.index.refresh(both)])
      const there = await listSnapshots(target, both)
      const copier = new Copier(source, target, both)
      const snapshots: CopiedSnapshot[] = []
      const say = (): void =>
        options.onProgress?.({ snapshotsDone: snapshots.length, snapshotCount: wanted.length, ...copier.copied })
      copier.onBlob = say
      try {
        for (const snapshot of wanted) {
          const twin = there.find((other) => isTwin(snapshot, other))
          if (!twin) await copier.copyTree(snapshot.tree)
          if (!twin) await lock.assertHeld(both)
          const to = twin?.id ?? (await saveCopy(target, snapshot, both))
          snapshots.push({ from: snapshot.id, to, already: twin !== undefined })
          say()
        }
        return { snapshots, ...copier.copied }
      } finally {
        await copier.close()
      }
    }),
  )
}

async function wantedSnapshots(
  source: RepositoryContext,
  ids: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<Snapshot[]> {
  if (!ids) return listSnapshots(source, signal)
  const found: Snapshot[] = []
  for (const id of ids) found.push(await getSnapshot(source, { id }, signal))
  return found
}

/** As restic tells: a copy keeps the id of its origin, its tree, time and paths. */
function isTwin(snapshot: Snapshot, other: Snapshot): boolean {
  return (
    originOf(snapshot) === originOf(other) &&
    snapshot.tree === other.tree &&
    snapshot.time === other.time &&
    snapshot.hostname === other.hostname &&
    snapshot.paths.join('\0') === other.paths.join('\0') &&
    snapshot.tags.join('\0') === other.tags.join('\0')
  )
}

function originOf({ id, original }: Snapshot): Id {
  return original ?? id
}

async function saveCopy({ files }: RepositoryContext, { id, ...snapshot }: Snapshot, signal: AbortSignal): Promise<Id> {
  // The parent is a snapshot of the other repository.
  return files.save('snapshots', renderSnapshot({ ...snapshot, parent: undefined, original: snapshot.original ?? id }), signal)
}

/** Moves blobs; one snapshot after the other. */
class Copier {
  readonly copied = { copiedBlobs: 0, copiedBytes: 0 }
  onBlob: () => void = () => undefined
  readonly #target: RepositoryContext
  readonly #signal: AbortSignal
  readonly #reader: BlobReader
  readonly #index: IndexWriter
  readonly #packs: PackWriter
  /** Seen in this copy: what is on its way is in no index yet. */
  readonly #seen = new Set<string>()

  constructor(source: RepositoryContext, target: RepositoryContext, signal: AbortSignal) {
    this.#target = target
    this.#signal = signal
    this.#reader = new BlobReader(source, signal)
    this.#index = new IndexWriter(target, signal)
    this.#packs = new PackWriter(target, (pack) => this.#index.add(pack), signal)
  }

  async close(): Promise<void> {
    await this.#reader.close()
    await this.#index.settled()
  }

  /** Everything below a tree, and it is listed in the index of the target. */
  async copyTree(root: Id): Promise<void> {
    for await (const blobs of batches(this.#missingData(root))) await this.#copyData(blobs)
    await this.#packs.finish()
    await this.#index.flush()
  }

  /** Walks the trees, copies those that are missing, and gives the data blobs that are. */
  async *#missingData(root: Id): AsyncGenerator<Id, void, void> {
    const open = [root]
    for (let tree = open.pop(); tree !== undefined; tree = open.pop()) {
      if (!this.#isFirst('tree', tree)) continue
      const bytes = await this.#reader.treeBytes(tree)
      // A tree that is there already may lack what is below it, if somebody repaired there: so it is walked all the same.
      if (!this.#isThere('tree', tree)) await this.#put('tree', tree, bytes)
      for (const node of parseTree(bytes, `tree ${shortId(tree)}`)) {
        if (node.subtree) open.push(node.subtree)
        for (const id of node.content ?? []) if (this.#isFirst('data', id) && !this.#isThere('data', id)) yield id
      }
    }
  }

  async #copyData(ids: readonly Id[]): Promise<void> {
    let at = 0
    for await (const bytes of this.#reader.data(ids)) await this.#put('data', ids[at++] as Id, bytes)
  }

  async #put(type: BlobType, id: Id, raw: Uint8Array): Promise<void> {
    this.#signal.throwIfAborted()
    const { config, sealer } = this.#target
    const packed = config.version >= 2 && raw.length > 0 ? compress(raw) : undefined
    const smaller = packed !== undefined && packed.length < raw.length
    const uncompressedLength = smaller ? raw.length : undefined
    await this.#packs.addParts(type, { id, uncompressedLength }, sealer.sealParts(smaller ? packed : raw))
    this.copied.copiedBlobs++
    this.copied.copiedBytes += raw.length
    this.onBlob()
  }

  #isFirst(type: BlobType, id: Id): boolean {
    const key = `${type === 'tree' ? 't' : 'd'}${id}`
    return !this.#seen.has(key) && this.#seen.add(key) !== undefined
  }

  /** Not in a pack that a prune may remove meanwhile. */
  #isThere(type: BlobType, id: Id): boolean {
    return this.#target.index.blobs.find(type, id) !== undefined
  }
}

/** So many that neighbours in a pack are read together. */
const batchIds = 4096

async function* batches(ids: AsyncIterable<Id>): AsyncGenerator<Id[], void, void> {
  let batch: Id[] = []
  for await (const id of ids) {
    batch.push(id)
    if (batch.length < batchIds) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
