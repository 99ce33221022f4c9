import { adoptPacks } from './adopt-packs.ts'
import type { RepositoryContext } from './context.ts'
import { listIds } from './files.ts'
import { type Nanos, nanosFromMs } from './format/go-time.ts'
import type { Id } from './format/ids.ts'
import { renderSnapshot } from './format/snapshot-file.ts'
import { IndexWriter } from './index-writer.ts'
import { withLock } from './lock.ts'
import { Pipeline } from './pipeline/pipeline.ts'

/** What any backup is told. */
export interface BackupOptions {
  readonly signal?: AbortSignal
  /** @default the identity's */
  readonly host?: string
  readonly tags?: readonly string[]
  /** Epoch ms of the snapshot. @default now */
  readonly time?: number
  /** At most twice a second. */
  readonly onProgress?: (progress: BackupProgress) => void
  /** A pack is in the store: a journal that keeps these ids can give them back as `adoptPacks` after a crash. */
  readonly onPack?: (pack: { readonly id: Id; readonly sizeBytes: number }) => void
  /**
   * Packs of an interrupted run, by `onPack`; what they hold is not sent again. `unlisted` finds them by listing the store: all that are in no
   * index. Others at work may have stored some of them; a pack that two indexes list does no harm.
   */
  readonly adoptPacks?: readonly Id[] | 'unlisted'
  /** Ids of the lock file; whoever takes over a dead run removes the last one by `Repository.removeLock`. */
  readonly onLock?: (id: Id) => void | Promise<void>
  readonly onWarning?: (warning: string) => void
  /** Opens each blob again right after sealing it, as restic does: a quarter more CPU against memory errors. @default false */
  readonly verifyBlobs?: boolean
}

export interface BackupProgress {
  /** Plain bytes read so far. */
  readonly processedBytes: number
  /** Sealed bytes of new blobs so far. */
  readonly addedPackedBytes: number
}

export interface BackupResult {
  readonly snapshotId: Id
  readonly tree: Id
  /** Plain bytes of all files. */
  readonly sizeBytes: number
  readonly fileCount: number
  readonly dirCount: number
  /** Plain bytes of blobs that were not in the repository, and what they take there. */
  readonly addedBytes: number
  readonly addedPackedBytes: number
  readonly dataBlobs: number
  readonly treeBlobs: number
}

/** What the kind of backup knows when all its bytes are handed over. */
export interface BackedUp {
  readonly tree: Id
  readonly paths: readonly string[]
  readonly sizeBytes: number
  readonly fileCount: number
  readonly dirCount: number
  /** The snapshot that was built upon, and what became of its files. */
  readonly parent?: Id
  readonly counts?: { readonly filesNew: number; readonly filesChanged: number; readonly filesUnmodified: number }
  readonly excludes?: readonly string[]
}

export interface BackupSession {
  readonly pipeline: Pipeline
  /** Of the snapshot. */
  readonly time: Nanos
  readonly signal: AbortSignal
  /** Counts plain bytes for `onProgress`. */
  readonly processed: (bytes: number) => void
}

const progressEveryMs = 500
/** At 393,216 blobs the table of the index doubles, to 52 MiB, and takes the room that a second sealing thread would have. */
const largeIndexBlobs = 390_000

/**
 * Runs one backup: lock, index, `work`, packs, index, snapshot, in this order. If anything fails, the threads end, uploads are broken off, no further
 * index and no snapshot is written, and the failure is thrown as it is.
 */
export async function runBackup(
  context: RepositoryContext,
  options: BackupOptions,
  work: (session: BackupSession) => Promise<BackedUp>,
): Promise<BackupResult> {
  const { signal, onLock, onWarning } = options
  const start = context.clock.now()
  return withLock(
    context,
    { exclusive: false, ...(signal && { signal }), ...(onLock && { onLock }), ...(onWarning && { onWarning }) },
    async (locked, lock) => {
      await context.index.refresh(locked)
      const own = new AbortController()
      const both = AbortSignal.any([locked, own.signal])
      if (options.adoptPacks?.length) await adopt(context, options.adoptPacks, both)
      const writer = new IndexWriter(context, both, { remember: false })
      const pipeline = openPipeline(context, options, { writer, signal: both, onFailure: (error) => own.abort(error) })
      const time = nanosFromMs(options.time ?? start)
      try {
        const done = await work({ pipeline, time, signal: both, processed: progressOf(context, options, pipeline) })
        await pipeline.finish()
        await writer.flush()
        // Without the lock a prune may have removed what this backup found there and did not send.
        await lock.assertHeld(both)
        both.throwIfAborted()
        const snapshotId = await context.files.save(
          'snapshots',
          snapshotOf(context, options, { done, pipeline, time, start }),
          both,
        )
        return resultOf(snapshotId, done, pipeline)
      } catch (error) {
        own.abort(error)
        throw error
      } finally {
        await pipeline.stop(new Error('the backup ended'))
        await writer.settled()
      }
    },
  )
}

async function adopt(context: RepositoryContext, wanted: readonly Id[] | 'unlisted', signal: AbortSignal): Promise<void> {
  const ids = wanted === 'unlisted' ? (await listIds(context.store, 'data', signal)).map(({ id }) => id) : wanted
  const writer = new IndexWriter(context, signal)
  try {
    for (const pack of await adoptPacks(context, ids, signal)) writer.add(pack)
    // Listed before use: the blobs count as known from here on.
    await writer.flush()
  } finally {
    await writer.settled()
  }
}

interface PipelineWiring {
  readonly writer: IndexWriter
  readonly signal: AbortSignal
  readonly onFailure: (error: unknown) => void
}

function openPipeline(context: RepositoryContext, options: BackupOptions, wiring: PipelineWiring): Pipeline {
  const { store, config, sealer } = context
  const { writer, signal, onFailure } = wiring
  return new Pipeline({
    store,
    config,
    sealer,
    signal,
    onFailure,
    index: context.index.blobs,
    threads: context.index.blobs.blobCount > largeIndexBlobs ? 1 : context.threads.seal,
    verifyBlobs: options.verifyBlobs ?? false,
    onStored: (pack) => {
      writer.add(pack)
      options.onPack?.({ id: pack.id, sizeBytes: pack.sizeBytes })
    },
  })
}

function progressOf({ clock }: RepositoryContext, { onProgress }: BackupOptions, pipeline: Pipeline): (bytes: number) => void {
  let processedBytes = 0
  let said = clock.now()
  return (bytes) => {
    processedBytes += bytes
    if (!onProgress || clock.now() - said < progressEveryMs) return
    said = clock.now()
    onProgress({ processedBytes, addedPackedBytes: pipeline.added.packedBytes })
  }
}

interface Finished {
  readonly done: BackedUp
  readonly pipeline: Pipeline
  readonly time: Nanos
  readonly start: number
}

function snapshotOf(context: RepositoryContext, options: BackupOptions, { done, pipeline, time, start }: Finished): Buffer {
  const { added } = pipeline
  return renderSnapshot({
    time,
    tree: done.tree,
    parent: done.parent,
    paths: done.paths,
    excludes: done.excludes,
    hostname: options.host ?? context.identity.hostname,
    username: context.identity.username,
    tags: options.tags ?? [],
    programVersion: 'holdfast 0.1.0',
    summary: {
      backupStart: nanosFromMs(start),
      backupEnd: nanosFromMs(context.clock.now()),
      filesNew: done.fileCount,
      ...done.counts,
      dirsNew: done.dirCount,
      dataBlobs: added.dataBlobs,
      treeBlobs: added.treeBlobs,
      dataAdded: added.bytes,
      dataAddedPacked: added.packedBytes,
      totalFiles: done.fileCount,
      totalBytes: done.sizeBytes,
    },
  })
}

function resultOf(snapshotId: Id, done: BackedUp, { added }: Pipeline): BackupResult {
  return {
    snapshotId,
    tree: done.tree,
    sizeBytes: done.sizeBytes,
    fileCount: done.fileCount,
    dirCount: done.dirCount,
    addedBytes: added.bytes,
    addedPackedBytes: added.packedBytes,
    dataBlobs: added.dataBlobs,
    treeBlobs: added.treeBlobs,
  }
}
