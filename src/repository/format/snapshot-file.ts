import { goJson } from '../../base/go-json.ts'
import { repositoryError } from '../errors.ts'
import { type Nanos, parseTime, renderTime } from './go-time.ts'
import { type Id, isId } from './ids.ts'

/** What a backup did, as `restic snapshots` shows it (restic 0.17 and newer write it, older ones ignore it). */
export interface SnapshotSummary {
  readonly backupStart: Nanos
  readonly backupEnd: Nanos
  readonly filesNew: number
  readonly filesChanged?: number
  readonly filesUnmodified?: number
  readonly dirsNew: number
  readonly dataBlobs: number
  readonly treeBlobs: number
  /** Plain bytes of the blobs that were not there before, and what they take in packs. */
  readonly dataAdded: number
  readonly dataAddedPacked: number
  readonly totalFiles: number
  readonly totalBytes: number
}

export interface SnapshotFile {
  readonly time: Nanos
  readonly parent?: Id | undefined
  readonly tree: Id
  /** Absolute. */
  readonly paths: readonly string[]
  readonly hostname?: string | undefined
  readonly username?: string | undefined
  readonly uid?: number | undefined
  readonly gid?: number | undefined
  /** Patterns that were left out. */
  readonly excludes?: readonly string[] | undefined
  readonly tags: readonly string[]
  /** The first id of a snapshot whose tags were changed since. */
  readonly original?: Id | undefined
  readonly programVersion?: string | undefined
  readonly summary?: SnapshotSummary | undefined
}

export function renderSnapshot(snapshot: SnapshotFile): Buffer {
  return Buffer.from(
    goJson({
      time: renderTime(snapshot.time),
      parent: snapshot.parent,
      tree: snapshot.tree,
      paths: snapshot.paths,
      hostname: snapshot.hostname || undefined,
      username: snapshot.username || undefined,
      uid: snapshot.uid || undefined,
      gid: snapshot.gid || undefined,
      excludes: snapshot.excludes?.length ? snapshot.excludes : undefined,
      tags: snapshot.tags.length > 0 ? snapshot.tags : undefined,
      original: snapshot.original,
      program_version: snapshot.programVersion || undefined,
      summary: snapshot.summary && renderSummary(snapshot.summary),
    }),
  )
}

function renderSummary(summary: SnapshotSummary): object {
  return {
    backup_start: renderTime(summary.backupStart),
    backup_end: renderTime(summary.backupEnd),
    files_new: summary.filesNew,
    files_changed: summary.filesChanged ?? 0,
    files_unmodified: summary.filesUnmodified ?? 0,
    dirs_new: summary.dirsNew,
    dirs_changed: 0,
    dirs_unmodified: 0,
    data_blobs: summary.dataBlobs,
    tree_blobs: summary.treeBlobs,
    data_added: summary.dataAdded,
    data_added_packed: summary.dataAddedPacked,
    total_files_processed: summary.totalFiles,
    total_bytes_processed: summary.totalBytes,
  }
}

interface SnapshotJson {
  readonly time?: string
  readonly parent?: string
  readonly tree?: string
  readonly paths?: readonly string[] | null
  readonly hostname?: string
  readonly username?: string
  readonly uid?: number
  readonly gid?: number
  readonly excludes?: readonly string[] | null
  readonly tags?: readonly string[] | null
  readonly original?: string
  readonly program_version?: string
  readonly summary?: Readonly<Record<string, unknown>> | null
}

export function parseSnapshot(json: Uint8Array, what: string): SnapshotFile {
  const value = readJson(json, what)
  const time = parseTime(value.time ?? '')
  if (time === undefined || !value.tree || !isId(value.tree)) {
    throw repositoryError('REPOSITORY_DAMAGED', `${what}: has no time or no tree`)
  }
  return {
    time,
    tree: value.tree,
    paths: value.paths ?? [],
    tags: value.tags ?? [],
    parent: value.parent,
    hostname: value.hostname,
    username: value.username,
    uid: value.uid,
    gid: value.gid,
    excludes: value.excludes ?? undefined,
    original: value.original,
    programVersion: value.program_version,
    summary: value.summary ? parseSummary(value.summary) : undefined,
  }
}

function readJson(json: Uint8Array, what: string): SnapshotJson {
  try {
    // The fields relied on are checked by the caller.
    const value = JSON.parse(Buffer.from(json).toString()) as SnapshotJson | null
    if (typeof value === 'object' && value !== null) return value
  } catch {
    // Reported below with the name of the file.
  }
  throw repositoryError('REPOSITORY_DAMAGED', `${what}: not the JSON of a snapshot`)
}

function parseSummary(summary: Readonly<Record<string, unknown>>): SnapshotSummary {
  const count = (name: string): number => (typeof summary[name] === 'number' ? summary[name] : 0)
  const time = (name: string): Nanos => (typeof summary[name] === 'string' ? parseTime(summary[name]) : undefined) ?? 0n
  return {
    backupStart: time('backup_start'),
    backupEnd: time('backup_end'),
    filesNew: count('files_new'),
    filesChanged: count('files_changed'),
    filesUnmodified: count('files_unmodified'),
    dirsNew: count('dirs_new'),
    dataBlobs: count('data_blobs'),
    treeBlobs: count('tree_blobs'),
    dataAdded: count('data_added'),
    dataAddedPacked: count('data_added_packed'),
    totalFiles: count('total_files_processed'),
    totalBytes: count('total_bytes_processed'),
  }
}
