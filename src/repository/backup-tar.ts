import { type BackupOptions, type BackupResult, type BackupSession, runBackup } from './backup-session.ts'
import type { RepositoryContext } from './context.ts'
import { deviceNumber } from './device-number.ts'
import { repositoryError } from './errors.ts'
import { type NodeType, goModeOf } from './format/file-mode.ts'
import { readUntilAborted } from './read-until-aborted.ts'
import { type TarEntry, readTar } from './tar/read-tar.ts'
import { type NodeDraft, TreeBuilder } from './tree-builder.ts'
import { splitPath } from './tree-path.ts'

export interface BackupTarOptions extends BackupOptions {
  /** What `tar -C <folder> -cf - .` prints. If it throws, the backup rejects with that error as it is and leaves no snapshot. */
  readonly tar: AsyncIterable<Uint8Array>
  /** Absolute path of that folder: where the entries stand in the snapshot. */
  readonly prefixPath: string
  /** What the snapshot says that it holds. @default prefixPath */
  readonly paths?: readonly string[]
  /** An archive without an entry is REPOSITORY_EMPTY_STREAM unless this is set. @default false */
  readonly allowEmpty?: boolean
  /** As in BackupStreamOptions; `tarBytes` counts the archive. */
  readonly confirm?: (read: {
    readonly tarBytes: number
    readonly fileCount: number
    readonly sizeBytes: number
  }) => void | Promise<void>
}

/** A tree of files from a tar stream, as `restic backup <folder>` makes it. */
export async function backupTar(context: RepositoryContext, options: BackupTarOptions): Promise<BackupResult> {
  const prefix = splitPath(options.prefixPath)
  return runBackup(context, options, async (session) => {
    const builder = new TreeBuilder(session.time)
    const counts = { entries: 0, fileCount: 0, sizeBytes: 0, tarBytes: 0 }
    for await (const entry of readTar(counted(readUntilAborted(options.tar, session.signal), counts))) {
      await addEntry(session, builder, prefix, entry)
      counts.entries++
      if (entry.type === 'dir') continue
      counts.fileCount++
      counts.sizeBytes += entry.sizeBytes
    }
    assertSomething(options, counts.entries)
    const { tarBytes, fileCount, sizeBytes } = counts
    await options.confirm?.({ tarBytes, fileCount, sizeBytes })
    const { tree, dirCount } = await builder.save((bytes) => session.pipeline.addTree(bytes))
    return { tree, paths: options.paths ?? [`/${prefix.map(String).join('/')}`], sizeBytes, fileCount, dirCount }
  })
}

function assertSomething({ allowEmpty, prefixPath }: BackupTarOptions, entries: number): void {
  if (entries > 0 || allowEmpty) return
  throw repositoryError(
    'REPOSITORY_EMPTY_STREAM',
    `the tar stream for ${JSON.stringify(prefixPath)} has no entry; nothing was kept`,
  )
}

/** A stream without a byte is its own failure, told apart from one that was cut off. */
async function* counted(stream: AsyncIterable<Uint8Array>, counts: { tarBytes: number }): AsyncGenerator<Uint8Array> {
  for await (const bytes of stream) {
    counts.tarBytes += bytes.length
    yield bytes
  }
  if (counts.tarBytes === 0)
    throw repositoryError('REPOSITORY_EMPTY_STREAM', 'the tar stream ended without a single byte; nothing was kept')
}

async function addEntry(
  { pipeline, processed }: BackupSession,
  builder: TreeBuilder,
  prefix: readonly Buffer[],
  entry: TarEntry,
): Promise<void> {
  const path = [...prefix, ...splitPath(entry.path)]
  if (entry.type === 'dir') return builder.addDirectory(path, draftOf(entry, 'dir'))
  if (entry.type === 'hardlink') return builder.addLink(path, [...prefix, ...splitPath(entry.linkTarget)])
  if (entry.type !== 'file') return builder.addNode(path, draftOf(entry, entry.type))
  const file = pipeline.openFile({ sizeBytes: entry.sizeBytes })
  for await (const bytes of entry.data()) {
    await file.write(bytes)
    processed(bytes.length)
  }
  await file.end()
  builder.addNode(path, draftOf(entry, 'file'), file.content)
}

function draftOf(entry: TarEntry, type: NodeType): NodeDraft {
  const { mode, mtime, uid, gid, user, group, attributes, linkTarget } = entry
  return {
    type,
    mode: goModeOf(type, mode),
    mtime,
    // A tar does not carry these two.
    atime: mtime,
    ctime: mtime,
    uid,
    gid,
    ...(user && { user }),
    ...(group && { group }),
    ...(attributes.length > 0 && { extendedAttributes: attributes }),
    ...(type === 'symlink' && { linkTarget }),
    ...((type === 'dev' || type === 'chardev') && { device: deviceNumber(entry.deviceMajor, entry.deviceMinor) }),
  }
}
