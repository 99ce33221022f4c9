import { availableParallelism } from 'node:os'
import { type Clock, systemClock } from '../base/clock.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { BackupResult } from './backup-session.ts'
import { type BackupStreamOptions, type BackupStreamResult, backupStream } from './backup-stream.ts'
import { type BackupTarOptions, backupTar } from './backup-tar.ts'
import { type CheckOptions, type CheckReport, checkRepository } from './check.ts'
import type { Identity, RepositoryContext } from './context.ts'
import { openFiles } from './files.ts'
import type { RepositoryConfig } from './format/config-file.ts'
import type { Id } from './format/ids.ts'
import { createSealer, type SealingKey } from './format/seal.ts'
import { processIdentity } from './identity.ts'
import { type AddKeyOptions, addKey } from './keys/add-key.ts'
import { LoadedIndex } from './loaded-index.ts'
import { removeLock } from './lock.ts'
import { type PruneOptions, type PruneResult, prune } from './prune.ts'
import { type RestoreStreamOptions, restoreStream } from './restore-stream.ts'
import { type RestoreTarOptions, restoreTar } from './restore-tar.ts'
import { type SizeMode, type SnapshotSizes, snapshotSizes } from './snapshot-sizes.ts'
import { type Snapshot, type SnapshotQuery, findSnapshot, forgetSnapshot, getSnapshot, listSnapshots } from './snapshots.ts'
import { type RepositoryStats, type SnapshotStats, repositoryStats, snapshotStats } from './stats.ts'

interface Call {
  readonly signal?: AbortSignal
}

/** A repository that a key opened. Operations may run side by side; each takes its own lock. */
export interface Repository {
  readonly id: Id
  readonly version: 1 | 2
  /** Where it is, for people. */
  readonly description: string
  /** The key file that opened it, and whether its password was the public one of Kanister. */
  readonly openedBy: { readonly keyId: Id; readonly publicKey: boolean }

  backupStream(options: BackupStreamOptions): Promise<BackupStreamResult>
  backupTar(options: BackupTarOptions): Promise<BackupResult>
  restoreStream(options: RestoreStreamOptions): AsyncIterable<Uint8Array>
  restoreTar(options: RestoreTarOptions): AsyncIterable<Uint8Array>
  /** Oldest first. */
  snapshots(options?: Call): Promise<Snapshot[]>
  findSnapshot(query: SnapshotQuery, options?: Call): Promise<Snapshot | undefined>
  getSnapshot(query: SnapshotQuery, options?: Call): Promise<Snapshot>
  forgetSnapshot(id: string, options?: Call): Promise<void>
  check(options?: CheckOptions): Promise<CheckReport>
  /** Gives back the space of what no snapshot needs any more. Excludes everybody else for its time. */
  prune(options?: PruneOptions): Promise<PruneResult>
  stats(options?: Call): Promise<RepositoryStats>
  /** Files and bytes that a restore of this snapshot gives. */
  snapshotStats(query: SnapshotQuery, options?: Call): Promise<SnapshotStats>
  /** The same as `restic stats` counts it; see `SizeMode`. */
  snapshotSizes(query: SnapshotQuery, mode: SizeMode, options?: Call): Promise<SnapshotSizes>
  addKey(options: AddKeyOptions): Promise<{ readonly keyId: Id }>
  /** Removes the lock of a dead run whose id its journal kept. */
  removeLock(id: Id, options?: Call): Promise<void>
}

/** How this process works; the defaults suit most. */
export interface EngineOptions {
  readonly clock?: Clock
  readonly identity?: Identity
  /** How long operations wait for locks of others that are in their way, before REPOSITORY_LOCKED. @default 0 */
  readonly lockWaitMs?: number
  /** @default one per two cores, at most 2 (each more takes 65 MB and is of use above 400 MB/s only); two threads more copy and cut */
  readonly sealThreads?: number
  /** @default as many as cores, at least 2, at most 4 */
  readonly openThreads?: number
}

export interface OpenedKey {
  readonly config: RepositoryConfig
  readonly master: SealingKey
  readonly keyId: Id
  readonly publicKey: boolean
}

/** Puts the operations on an opened key; see `open-repository.ts` and `init-repository.ts` for the ways to come by one. */
export function createRepository(store: ObjectStore, opened: OpenedKey, options: EngineOptions = {}): Repository {
  const { config, keyId, publicKey } = opened
  const sealer = createSealer(opened.master)
  const files = openFiles(store, sealer, config.version)
  const cores = availableParallelism()
  const context: RepositoryContext = {
    store,
    config,
    sealer,
    files,
    index: new LoadedIndex(files),
    identity: options.identity ?? processIdentity(),
    clock: options.clock ?? systemClock,
    lockWaitMs: options.lockWaitMs ?? 0,
    threads: {
      seal: options.sealThreads ?? Math.min(2, Math.max(1, Math.floor(cores / 2))),
      open: options.openThreads ?? Math.min(4, Math.max(2, cores)),
    },
  }
  return {
    id: config.id,
    version: config.version,
    description: store.description,
    openedBy: { keyId, publicKey },
    backupStream: (request) => backupStream(context, request),
    backupTar: (request) => backupTar(context, request),
    restoreStream: (request) => restoreStream(context, request),
    restoreTar: (request) => restoreTar(context, request),
    snapshots: (call) => listSnapshots(context, call?.signal),
    findSnapshot: (query, call) => findSnapshot(context, query, call?.signal),
    getSnapshot: (query, call) => getSnapshot(context, query, call?.signal),
    forgetSnapshot: (id, call) => forgetSnapshot(context, id, call?.signal),
    prune: (request) => prune(context, request),
    check: (request) => checkRepository(context, request),
    stats: (call) => repositoryStats(context, call?.signal),
    snapshotStats: (query, call) => snapshotStats(context, query, call?.signal),
    snapshotSizes: (query, mode, call) => snapshotSizes(context, query, mode, call?.signal),
    addKey: (request) => addKey(context, request),
    removeLock: (id, call) => removeLock(context, id, call?.signal),
  }
}
