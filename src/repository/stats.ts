import { BlobReader } from './blob-reader.ts'
import type { RepositoryContext } from './context.ts'
import type { Id } from './format/ids.ts'
import { type SnapshotQuery, getSnapshot } from './snapshots.ts'

export interface RepositoryStats {
  readonly snapshotCount: number
  readonly packCount: number
  readonly blobCount: number
  /** Of all blobs, once each: plain, and as they lie in packs. */
  readonly rawBytes: number
  readonly packedBytes: number
}

export async function repositoryStats(context: RepositoryContext, signal?: AbortSignal): Promise<RepositoryStats> {
  const snapshots = await context.files.list('snapshots', signal)
  await context.index.refresh(signal)
  const { blobs } = context.index
  return {
    snapshotCount: snapshots.length,
    packCount: blobs.packIds.length,
    blobCount: blobs.blobCount,
    rawBytes: blobs.rawBytes,
    packedBytes: blobs.packedBytes,
  }
}

export interface SnapshotStats {
  readonly snapshotId: Id
  /** Everything but directories. */
  readonly fileCount: number
  readonly dirCount: number
  /** Of all files; one with several names counts once. */
  readonly sizeBytes: number
}

export async function snapshotStats(
  context: RepositoryContext,
  query: SnapshotQuery,
  signal: AbortSignal = new AbortController().signal,
): Promise<SnapshotStats> {
  const snapshot = await getSnapshot(context, query, signal)
  await context.index.refresh(signal)
  const reader = new BlobReader(context, signal)
  const inodes = new Set<string>()
  const counts = { fileCount: 0, dirCount: 0, sizeBytes: 0 }
  const visit = async (tree: Id): Promise<void> => {
    for (const node of await reader.tree(tree)) {
      if (node.type === 'dir') counts.dirCount++
      else counts.fileCount++
      const key = `${node.deviceId}:${node.inode}`
      if ((node.links ?? 0) < 2 || !inodes.has(key)) counts.sizeBytes += node.size ?? 0
      inodes.add(key)
      if (node.subtree) await visit(node.subtree)
    }
  }
  try {
    await visit(snapshot.tree)
    return { snapshotId: snapshot.id, ...counts }
  } finally {
    await reader.close()
  }
}
