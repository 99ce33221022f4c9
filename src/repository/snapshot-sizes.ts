import { createHash } from 'node:crypto'
import { BlobReader } from './blob-reader.ts'
import type { RepositoryContext } from './context.ts'
import { repositoryError } from './errors.ts'
import type { Id } from './format/ids.ts'
import type { TreeNode } from './format/node.ts'
import { type BlobType, rawLength } from './format/pack-header.ts'
import type { BlobLocation } from './blob-index.ts'
import { type SnapshotQuery, getSnapshot } from './snapshots.ts'

/**
 * What to count of a snapshot, in the words of `restic stats --mode`, with its numbers:
 *
 * - `restore-size`: every file and directory; bytes of files, hard links once.
 * - `files-by-contents`: each content once, whatever its names; everything without content counts as one.
 * - `blobs-per-file`: the same without the empty one; of each content the bytes of its different blobs.
 * - `raw-data`: blobs, once each, trees among them; bytes as they lie in the store.
 */
export const sizeModes = ['restore-size', 'files-by-contents', 'raw-data', 'blobs-per-file'] as const
export type SizeMode = (typeof sizeModes)[number]

export interface SnapshotSizes {
  readonly snapshotId: Id
  /** Of files; of blobs with `raw-data`. */
  readonly count: number
  readonly sizeBytes: number
}

/** Memory grows with the number of files (with `raw-data` of blobs), about 100 bytes each, for the modes that count each once. */
export async function snapshotSizes(
  context: RepositoryContext,
  query: SnapshotQuery,
  mode: SizeMode,
  signal: AbortSignal = new AbortController().signal,
): Promise<SnapshotSizes> {
  const snapshot = await getSnapshot(context, query, signal)
  await context.index.refresh(signal)
  const counter = counters[mode]((type, id) => locate(context, type, id))
  const reader = new BlobReader(context, signal)
  const open = [snapshot.tree]
  try {
    for (let tree = open.pop(); tree !== undefined; tree = open.pop()) {
      if (!counter.takeTree(tree)) continue
      for (const node of await reader.tree(tree)) {
        counter.take(node)
        if (node.subtree) open.push(node.subtree)
      }
    }
    return { snapshotId: snapshot.id, ...counter.total }
  } finally {
    await reader.close()
  }
}

interface Counter {
  readonly total: { count: number; sizeBytes: number }
  take(node: TreeNode): void
  /** False when what is in the tree was counted already. */
  takeTree(id: Id): boolean
}

type Locate = (type: BlobType, id: Id) => BlobLocation

function locate(context: RepositoryContext, type: BlobType, id: Id): BlobLocation {
  const found = context.index.find(type, id)
  if (found) return found
  throw repositoryError('REPOSITORY_DAMAGED', `${type} blob ${id} is in no index; what refers to it cannot be restored`)
}

const counters: Readonly<Record<SizeMode, (locate: Locate) => Counter>> = {
  'restore-size': countEverything,
  'files-by-contents': countContents,
  'blobs-per-file': countBlobsOfContents,
  'raw-data': countBlobs,
}

function countEverything(): Counter {
  const total = { count: 0, sizeBytes: 0 }
  const inodes = new Set<string>()
  const take = (node: TreeNode): void => {
    total.count++
    const name = `${node.deviceId}:${node.inode}`
    if (!inodes.has(name)) total.sizeBytes += node.size ?? 0
    if ((node.links ?? 0) > 1 && node.inode) inodes.add(name)
  }
  return { total, take, takeTree: () => true }
}

function countContents(): Counter {
  const total = { count: 0, sizeBytes: 0 }
  const isNew = onceEach()
  const take = (node: TreeNode): void => {
    if (!isNew(contentKey(node))) return
    total.count++
    total.sizeBytes += node.size ?? 0
  }
  return { total, take, takeTree: () => true }
}

function countBlobsOfContents(find: Locate): Counter {
  const total = { count: 0, sizeBytes: 0 }
  const isNew = onceEach()
  const take = (node: TreeNode): void => {
    const content = node.content ?? []
    if (content.length === 0 || !isNew(contentKey(node))) return
    total.count++
    for (const id of new Set(content)) total.sizeBytes += rawLength(find('data', id))
  }
  return { total, take, takeTree: () => true }
}

function countBlobs(find: Locate): Counter {
  const total = { count: 0, sizeBytes: 0 }
  const isNew = onceEach()
  const takeBlob = (type: BlobType, id: Id): boolean => {
    if (!isNew(`${type} ${id}`)) return false
    total.count++
    total.sizeBytes += find(type, id).length
    return true
  }
  const take = (node: TreeNode): void => {
    for (const id of node.content ?? []) takeBlob('data', id)
  }
  return { total, take, takeTree: (id) => takeBlob('tree', id) }
}

/** True at the first time of each key. */
function onceEach(): (key: string) => boolean {
  const seen = new Set<string>()
  return (key) => !seen.has(key) && seen.add(key) !== undefined
}

function contentKey({ content }: TreeNode): string {
  return createHash('sha256')
    .update((content ?? []).join())
    .digest('base64')
}
