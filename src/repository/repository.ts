import { availableParallelism } from 'node:os'
import { type Clock, systemClock } from '../base/clock.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { BackupResult } from './backup-session.ts'
import { type BackupStreamOptions, type BackupStreamResult, backupStream } from './backup-stream.ts'
import { type BackupTarOptions, backupTar } from './backup-tar.ts'
import { type CheckOptions, type CheckReport, checkRepository } from './check.ts'
import { type ChangeTagsOptions, type ChangedTags, changeTags } from './change-tags.ts'
import type { Identity, RepositoryContext } from './context.ts'
import { type CopyOptions, type CopyResult, copySnapshots } from './copy-snapshots.ts'
import { type DiffEntry, type DiffOptions, diffSnapshots } from './diff-snapshots.ts'
import { openFiles } from './files.ts'
import { type BackupFolderOptions, type BackupFolderResult, backupFolder } from './folder/backup-folder.ts'
import { type RestoreFolderOptions, type RestoreFolderResult, restoreFolder } from './folder/restore-folder.ts'
import type { RepositoryConfig } from './format/config-file.ts'
import type { Id } from './format/ids.ts'
import type { Polynomial } from './format/polynomial.ts'
import { createSealer, type SealingKey } from './format/seal.ts'
import { processIdentity } from './identity.ts'
import type { AddKeyOptions } from './keys/add-key.ts'
import { type KeyInfo, addProvenKey, changeKey, listKeys, removeKey } from './keys/list-keys.ts'
import { type FindNodesOptions, type FoundNode, type ListNodesOptions, findNodes, listNodes } from './list-nodes.ts'
import { LoadedIndex } from './loaded-index.ts'
import { type UnlockOptions, removeLock, unlock } from './lock.ts'
import { type PruneInStepsOptions, type PruneInStepsResult, pruneInSteps } from './prune-in-steps.ts'
import { type PruneOptions, type PruneResult, prune } from './prune.ts'
import { type RepairIndexOptions, type RepairIndexResult, repairIndex } from './repair-index.ts'
import { type RestoreStreamOptions, restoreStream } from './restore-stream.ts'
import { type RestoreTarOptions, restoreTar } from './restore-tar.ts'
import { type SizeMode, type SnapshotSizes, snapshotSizes } from './snapshot-sizes.ts'
import {
  type Snapshot,
  type SnapshotFilter,
  type SnapshotQuery,
  findSnapshot,
  forgetSnapshot,
  forgetSnapshots,
  getSnapshot,
  listSnapshots,
  matchesFilter,
} from './snapshots.ts'
import { type RepositoryStats, type SnapshotStats, repositoryStats, snapshotStats } from './stats.ts'
import type { WalkedNode } from './walk-tree.ts'

interface Call {
  readonly signal?: AbortSignal
}

/** For operations between two repositories; nobody else can name it. It survives `{ ...repository }`. */
const contextKey = Symbol('context')

/** A repository that a key opened. Operations may run side by side; each takes its own lock. */
export interface Repository {
  readonly id: Id
  readonly version: 1 | 2
  /** By which files are cut. */
  readonly polynomial: Polynomial
  readonly [contextKey]: RepositoryContext
  /** Where it is, for people. */
  readonly description: string
  /** The key file that opened it, and whether its password was the public one of Kanister. */
  readonly openedBy: { readonly keyId: Id; readonly publicKey: boolean }

  backupStream(options: BackupStreamOptions): Promise<BackupStreamResult>
  backupTar(options: BackupTarOptions): Promise<BackupResult>
  /** Folders of this machine; unchanged files of the snapshot before are not read again. */
  backupFolder(options: BackupFolderOptions): Promise<BackupFolderResult>
  restoreStream(options: RestoreStreamOptions): AsyncIterable<Uint8Array>
  restoreTar(options: RestoreTarOptions): AsyncIterable<Uint8Array>
  /** Into a folder of this machine; what is right there already is kept. */
  restoreFolder(options: RestoreFolderOptions): Promise<RestoreFolderResult>
  /** Oldest first. */
  snapshots(options?: Call & { readonly filter?: SnapshotFilter }): Promise<Snapshot[]>
  findSnapshot(query: SnapshotQuery, options?: Call): Promise<Snapshot | undefined>
  getSnapshot(query: SnapshotQuery, options?: Call): Promise<Snapshot>
  forgetSnapshot(id: string, options?: Call): Promise<void>
  /** Gives their whole ids. */
  forgetSnapshots(ids: readonly string[], options?: Call): Promise<readonly Id[]>
  changeTags(options: ChangeTagsOptions): Promise<ChangedTags[]>
  ls(options: ListNodesOptions): AsyncIterable<WalkedNode>
  find(options: FindNodesOptions): AsyncIterable<FoundNode>
  diff(options: DiffOptions): AsyncIterable<DiffEntry>
  /** Snapshots of this repository into another one that `openRepository` or `initRepository` gave. */
  copyTo(target: Repository, options?: CopyOptions): Promise<CopyResult>
  check(options?: CheckOptions): Promise<CheckReport>
  /** Gives back the space of what no snapshot needs any more. Excludes everybody else for its time. */
  prune(options?: PruneOptions): Promise<PruneResult>
  /** The same beside running backups: marks now, removes with a later call. */
  pruneInSteps(options?: PruneInStepsOptions): Promise<PruneInStepsResult>
  repairIndex(options?: RepairIndexOptions): Promise<RepairIndexResult>
  stats(options?: Call): Promise<RepositoryStats>
  /** Files and bytes that a restore of this snapshot gives. */
  snapshotStats(query: SnapshotQuery, options?: Call): Promise<SnapshotStats>
  /** The same as `restic stats` counts it; see `SizeMode`. */
  snapshotSizes(query: SnapshotQuery, mode: SizeMode, options?: Call): Promise<SnapshotSizes>
  keys(options?: Call): Promise<KeyInfo[]>
  addKey(options: AddKeyOptions): Promise<{ readonly keyId: Id }>
  /** By its id or the beginning of it. */
  removeKey(id: string, options?: Call): Promise<Id>
  /** A new key in the place of the one that opened the repository. */
  changeKey(options: AddKeyOptions): Promise<{ readonly keyId: Id; readonly removed: Id }>
  /** Removes the lock of a dead run whose id its journal kept. */
  removeLock(id: Id, options?: Call): Promise<void>
  /** Removes locks that count no longer. Gives how many. */
  unlock(options?: UnlockOptions): Promise<number>
}

/** How this process works; the defaults suit most. */
export interface EngineOptions {
  readonly clock?: Clock
  readonly identity?: Identity
  /** How long operations wait for locks of others that are in their way, before REPOSITORY_LOCKED. @default 0 */
  readonly lockWaitMs?: number
  /** At most; the second begins when the first is behind, and takes some 40 MB. @default 2, on one core 1; two threads more copy and cut */
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
      seal: options.sealThreads ?? Math.min(2, cores),
      open: options.openThreads ?? Math.min(4, Math.max(2, cores)),
    },
  }
  const repository: Repository = {
    id: config.id,
    version: config.version,
    polynomial: config.polynomial,
    description: store.description,
    openedBy: { keyId, publicKey },
    backupStream: (request) => backupStream(context, request),
    backupTar: (request) => backupTar(context, request),
    backupFolder: (request) => backupFolder(context, request),
    restoreStream: (request) => restoreStream(context, request),
    restoreTar: (request) => restoreTar(context, request),
    restoreFolder: (request) => restoreFolder(context, request),
    snapshots: async (call) =>
      (await listSnapshots(context, call?.signal)).filter((snapshot) => matchesFilter(snapshot, call?.filter ?? {})),
    findSnapshot: (query, call) => findSnapshot(context, query, call?.signal),
    getSnapshot: (query, call) => getSnapshot(context, query, call?.signal),
    forgetSnapshot: (id, call) => forgetSnapshot(context, id, call?.signal),
    forgetSnapshots: (ids, call) => forgetSnapshots(context, ids, call?.signal),
    changeTags: (request) => changeTags(context, request),
    ls: (request) => listNodes(context, request),
    find: (request) => findNodes(context, request),
    diff: (request) => diffSnapshots(context, request),
    copyTo: (target, request) => copySnapshots(context, contextOf(target), request),
    prune: (request) => prune(context, request),
    pruneInSteps: (request) => pruneInSteps(context, request),
    repairIndex: (request) => repairIndex(context, request),
    check: (request) => checkRepository(context, request),
    stats: (call) => repositoryStats(context, call?.signal),
    snapshotStats: (query, call) => snapshotStats(context, query, call?.signal),
    snapshotSizes: (query, mode, call) => snapshotSizes(context, query, mode, call?.signal),
    keys: (call) => listKeys(context, keyId, call),
    addKey: (request) => addProvenKey(context, request),
    removeKey: (id, call) => removeKey(context, keyId, id, call),
    changeKey: (request) => changeKey(context, keyId, request),
    removeLock: (id, call) => removeLock(context, id, call?.signal),
    unlock: (request) => unlock(context, request),
    [contextKey]: context,
  }
  return repository
}

function contextOf(repository: Repository): RepositoryContext {
  return repository[contextKey]
}
