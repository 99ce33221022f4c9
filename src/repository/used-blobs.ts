import { BlobReader } from './blob-reader.ts'
import type { RepositoryContext } from './context.ts'
import { repositoryError } from './errors.ts'
import { type Id, shortId } from './format/ids.ts'
import type { BlobType, PackedBlob } from './format/pack-header.ts'
import type { LoadedIndex } from './loaded-index.ts'
import type { Snapshot } from './snapshots.ts'

/**
 * Which blobs of an index something needs: one byte beside each slot of its table, so as many blobs as the index can hold. Valid while nothing is
 * added to the index.
 */
export class UsedBlobs {
  readonly #index: LoadedIndex
  readonly #marks: Uint8Array
  readonly #inMarkedPacks = new Set<string>()
  readonly #neededMarkedPacks = new Set<Id>()
  #count = 0

  constructor(index: LoadedIndex) {
    this.#index = index
    this.#marks = new Uint8Array(index.blobs.slotCount)
  }

  /** Of the blobs outside of marked packs. */
  get count(): number {
    return this.#count
  }

  /** Marked packs that hold the only copy of something needed. */
  get neededMarkedPacks(): ReadonlySet<Id> {
    return this.#neededMarkedPacks
  }

  /** True when it was not marked before. REPOSITORY_DAMAGED when it is in no index; `needer` says whom it would be missing. */
  mark(type: BlobType, id: Id, needer: string): boolean {
    const slot = this.#index.blobs.slotOf(type, id)
    if (slot < 0) return this.#markInMarkedPack(type, id, needer)
    if (this.#marks[slot] === 1) return false
    this.#marks[slot] = 1
    this.#count++
    return true
  }

  /** Whether this entry is the one copy of a used blob that has to stay. */
  keeps(pack: Id, { type, id, offset }: PackedBlob): boolean {
    const slot = this.#index.blobs.slotOf(type, id)
    if (slot < 0 || this.#marks[slot] !== 1) return false
    const kept = this.#index.blobs.find(type, id)
    return kept?.pack === pack && kept.offset === offset
  }

  #markInMarkedPack(type: BlobType, id: Id, needer: string): boolean {
    const location = this.#index.markedBlobs.find(type, id)
    if (!location)
      throw repositoryError(
        'REPOSITORY_DAMAGED',
        `${needer} needs ${type} blob ${id}, which is in no index; nothing was removed. Forget what is damaged, or repair the index`,
      )
    const key = `${type} ${id}`
    if (this.#inMarkedPacks.has(key)) return false
    this.#inMarkedPacks.add(key)
    this.#neededMarkedPacks.add(location.pack)
    return true
  }
}

/** Walks snapshots. To be called under a lock, with an index that was read after the snapshots were listed. */
export async function findUsedBlobs(
  context: RepositoryContext,
  snapshots: readonly Snapshot[],
  signal: AbortSignal,
): Promise<UsedBlobs> {
  const used = new UsedBlobs(context.index)
  const reader = new BlobReader(context, signal)
  try {
    for (const snapshot of snapshots) await markTree(reader, used, snapshot.tree, `snapshot ${shortId(snapshot.id)}`)
    return used
  } finally {
    await reader.close()
  }
}

async function markTree(reader: BlobReader, used: UsedBlobs, root: Id, needer: string): Promise<void> {
  if (!used.mark('tree', root, needer)) return
  const open = [root]
  for (let tree = open.pop(); tree !== undefined; tree = open.pop()) {
    for (const node of await reader.tree(tree)) {
      for (const id of node.content ?? []) used.mark('data', id, `${needer}: a file of tree ${shortId(tree)}`)
      if (node.subtree !== undefined && used.mark('tree', node.subtree, `${needer}: tree ${shortId(tree)}`))
        open.push(node.subtree)
    }
  }
}
