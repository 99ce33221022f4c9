import type { BlobIndex } from './blob-index.ts'
import { BlobReader } from './blob-reader.ts'
import type { RepositoryContext } from './context.ts'
import { repositoryError } from './errors.ts'
import { type Id, shortId } from './format/ids.ts'
import type { BlobType, PackedBlob } from './format/pack-header.ts'
import { listSnapshots } from './snapshots.ts'

/**
 * Which blobs of an index something needs: one byte beside each slot of its table, so as many blobs as the index can hold. Valid while nothing is
 * added to the index.
 */
export class UsedBlobs {
  readonly #index: BlobIndex
  readonly #marks: Uint8Array
  #count = 0

  constructor(index: BlobIndex) {
    this.#index = index
    this.#marks = new Uint8Array(index.slotCount)
  }

  get count(): number {
    return this.#count
  }

  /** True when it was not marked before. REPOSITORY_DAMAGED when it is in no index; `needer` says whom it would be missing. */
  mark(type: BlobType, id: Id, needer: string): boolean {
    const slot = this.#index.slotOf(type, id)
    if (slot < 0)
      throw repositoryError(
        'REPOSITORY_DAMAGED',
        `${needer} needs ${type} blob ${id}, which is in no index; nothing was removed. Forget what is damaged, or repair the index with restic`,
      )
    if (this.#marks[slot] === 1) return false
    this.#marks[slot] = 1
    this.#count++
    return true
  }

  /** Whether this entry is the one copy of a used blob that has to stay. */
  keeps(pack: Id, { type, id, offset }: PackedBlob): boolean {
    const slot = this.#index.slotOf(type, id)
    if (slot < 0 || this.#marks[slot] !== 1) return false
    const kept = this.#index.find(type, id)
    return kept?.pack === pack && kept.offset === offset
  }
}

/** Walks all snapshots. To be called under an exclusive lock with a fresh index. */
export async function findUsedBlobs(context: RepositoryContext, signal: AbortSignal): Promise<UsedBlobs> {
  const used = new UsedBlobs(context.index.blobs)
  const reader = new BlobReader(context, signal)
  try {
    for (const snapshot of await listSnapshots(context, signal))
      await markTree(reader, used, snapshot.tree, `snapshot ${shortId(snapshot.id)}`)
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
