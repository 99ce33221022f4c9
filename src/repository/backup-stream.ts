import { type BackedUp, type BackupOptions, type BackupResult, type BackupSession, runBackup } from './backup-session.ts'
import type { RepositoryContext } from './context.ts'
import { repositoryError } from './errors.ts'
import { goModeOf } from './format/file-mode.ts'
import type { TreeNode } from './format/node.ts'
import { renderTree } from './format/tree.ts'
import type { ReadInto } from './pipeline/pipeline.ts'
import { orAborted, readUntilAborted } from './read-until-aborted.ts'
import { splitPath } from './tree-path.ts'

export interface BackupStreamOptions extends BackupOptions {
  /**
   * The bytes. If it throws, the backup rejects with that error as it is and leaves no snapshot. A source that can write its bytes to where it is
   * told to is asked for that, which saves a copy and the garbage: a sixth of the CPU time of a file that is mostly known.
   */
  readonly stream: AsyncIterable<Uint8Array> | FillingSource
  /** Path of the one file in the snapshot: `dump.sql`, `a/b/dump.sql`. */
  readonly filename: string
  /** A stream without a byte is REPOSITORY_EMPTY_STREAM unless this is set. @default false */
  readonly allowEmpty?: boolean
  /**
   * Whether the SHA-256 of the whole is wanted. Every blob is hashed anyhow, which proves what is restored; this is a
   * second hash of each byte. @default true
   */
  readonly digest?: boolean
  /**
   * Asked when the stream has ended, before the snapshot: throw to reject what came (an exit code, a missing end marker). No snapshot is
   * written then.
   */
  readonly confirm?: (read: { readonly sizeBytes: number; readonly sha256: string }) => void | Promise<void>
}

export interface FillingSource {
  /** Writes to the beginning of `room`, resolves to the number of bytes; 0 at the end. */
  readonly readInto: ReadInto
}

export interface BackupStreamResult extends BackupResult {
  /** Hex SHA-256 of the whole stream; empty where `digest` is false. */
  readonly sha256: string
}

/** One file from a stream, as `restic backup --stdin` makes it. */
export async function backupStream(context: RepositoryContext, options: BackupStreamOptions): Promise<BackupStreamResult> {
  const names = splitPath(options.filename)
  if (names.length === 0) throw repositoryError('REPOSITORY_BAD_ARGUMENT', 'the file name of a stream backup is empty')
  let sha256 = ''
  const result = await runBackup(context, options, async (session) => {
    const file = await readInto(session, options)
    if (file.sizeBytes === 0 && !options.allowEmpty) {
      throw repositoryError(
        'REPOSITORY_EMPTY_STREAM',
        `the stream for ${JSON.stringify(options.filename)} ended without a single byte; nothing was kept`,
      )
    }
    sha256 = file.sha256 ?? ''
    await options.confirm?.({ sizeBytes: file.sizeBytes, sha256 })
    return saveTrees(session, names, file)
  })
  return { ...result, sha256 }
}

type Content = Awaited<ReturnType<BackupSession['pipeline']['openFile']>['content']>

async function readInto(
  { pipeline, signal, processed }: BackupSession,
  { stream, digest = true }: BackupStreamOptions,
): Promise<Content> {
  const file = pipeline.openFile({ hash: digest })
  if ('readInto' in stream) {
    const read: ReadInto = (room) => orAborted(() => stream.readInto(room), signal)
    for (let length = await file.fill(read); length > 0; length = await file.fill(read)) processed(length)
  } else
    for await (const bytes of readUntilAborted(stream, signal)) {
      await file.write(bytes)
      processed(bytes.length)
    }
  await file.end()
  return file.content
}

async function saveTrees({ pipeline, time }: BackupSession, names: readonly Buffer[], file: Content): Promise<BackedUp> {
  const times = { mtime: time, atime: time, ctime: time }
  const owner = { uid: 0, gid: 0 }
  const [name = Buffer.alloc(0), ...parents] = names.toReversed()
  let node: TreeNode = {
    name,
    type: 'file',
    mode: goModeOf('file', 0o644),
    ...times,
    ...owner,
    size: file.sizeBytes,
    content: file.ids,
  }
  let tree = await pipeline.addTree(new Uint8Array(renderTree([node])))
  for (const parent of parents) {
    node = { name: parent, type: 'dir', mode: goModeOf('dir', 0o755), ...times, ...owner, content: null, subtree: tree }
    tree = await pipeline.addTree(new Uint8Array(renderTree([node])))
  }
  const path = `/${names.map(String).join('/')}`
  return { tree, paths: [path], sizeBytes: file.sizeBytes, fileCount: 1, dirCount: parents.length }
}
