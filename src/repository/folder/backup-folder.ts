import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs'
import { resolve } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { type BackedUp, type BackupOptions, type BackupResult, type BackupSession, runBackup } from '../backup-session.ts'
import type { RepositoryContext } from '../context.ts'
import { repositoryError } from '../errors.ts'
import type { Id } from '../format/ids.ts'
import { type TreeNode, renderNode } from '../format/node.ts'
import { joinTree } from '../format/tree.ts'
import { minChunkBytes } from '../kernel/chunker.ts'
import { type PathMatcher, pathMatcher } from '../path-pattern.ts'
import type { FileContent } from '../pipeline/file-assembly.ts'
import { type Snapshot, type SnapshotQuery, getSnapshot, listSnapshots } from '../snapshots.ts'
import { splitPath } from '../tree-path.ts'
import { joinPath } from '../walk-tree.ts'
import { readFrom } from '../file-source.ts'
import { InFlight } from '../in-flight.ts'
import { nodeOf } from './file-node.ts'
import { ParentTrees } from './parent-trees.ts'

export interface BackupFolderOptions extends BackupOptions {
  /** Files or folders of this machine. Relative ones count from the working directory. */
  readonly paths: readonly string[]
  /**
   * Files that did not change since this snapshot are not read again. `none` reads everything.
   * @default the newest of the same host and paths
   */
  readonly parent?: SnapshotQuery | 'none'
  /** Patterns of `path-pattern.ts`: what fits is left out, with all that is in it. */
  readonly excludes?: readonly string[]
  /** Do not go into other file systems mounted below. @default false */
  readonly oneFileSystem?: boolean
  /** What makes a file count as unchanged besides its size and time of modification. @default both true */
  readonly compareCtime?: boolean
  readonly compareInode?: boolean
}

export interface BackupFolderResult extends BackupResult {
  readonly parent: Id | undefined
  readonly filesNew: number
  readonly filesChanged: number
  readonly filesUnmodified: number
  /** What could not be read; each was a warning, and is not in the snapshot. */
  readonly unreadable: readonly string[]
}

/** So long the walk may keep this thread before sockets and timers get their turn. */
const turnMs = 5
/** Entries of directories that wait for the last of their files. */
const openDirectories = 32

/** Folders of this machine, as `restic backup <paths>` keeps them. */
export async function backupFolder(context: RepositoryContext, options: BackupFolderOptions): Promise<BackupFolderResult> {
  const paths = [...new Set(options.paths.map((path) => resolve(path)))].toSorted()
  if (paths.length === 0) throw repositoryError('REPOSITORY_BAD_ARGUMENT', 'no path was given to back up')
  const asked = { ...options, host: options.host ?? context.identity.hostname }
  let walk: FolderWalk | undefined
  let parent: Snapshot | undefined
  const result = await runBackup(context, asked, async (session) => {
    parent = await findParent(context, asked, paths, session.signal)
    walk = new FolderWalk(context, session, { ...asked, paths, parent })
    return walk.run()
  })
  const { filesNew, filesChanged, filesUnmodified, unreadable } = walk as FolderWalk
  return { ...result, parent: parent?.id, filesNew, filesChanged, filesUnmodified, unreadable }
}

async function findParent(
  context: RepositoryContext,
  { parent, host }: BackupFolderOptions,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<Snapshot | undefined> {
  if (parent === 'none') return undefined
  if (parent) return getSnapshot(context, parent, signal)
  const all = await listSnapshots(context, signal)
  return all.findLast((one) => one.hostname === host && one.paths.toSorted().join('\0') === paths.join('\0'))
}

interface WalkOptions extends Omit<BackupFolderOptions, 'parent'> {
  readonly paths: readonly string[]
  readonly parent: Snapshot | undefined
}

interface Rendered {
  readonly name: Buffer
  readonly json: string
}

/** An entry whose last bytes may still be on their way. */
type Entry = Promise<Rendered>

/**
 * Asks the file system in calls that block: a call costs 3 µs, and by Node's pool of threads 25 and more, six times a file. One at a time
 * they were before, so a slow disk is waited for no longer; only turns of others wait for the end of a call.
 */
class FolderWalk {
  filesNew = 0
  filesChanged = 0
  filesUnmodified = 0
  readonly unreadable: string[] = []
  readonly #context: RepositoryContext
  readonly #session: BackupSession
  readonly #options: WalkOptions
  readonly #excluded: PathMatcher
  readonly #parents: ParentTrees
  readonly #unfinished = new InFlight(openDirectories)
  /** Content of files with several names, by device and inode, so that they are read once. */
  readonly #linked = new Map<string, Promise<FileContent>>()
  readonly #buffer = Buffer.allocUnsafe(minChunkBytes + 1)
  #turnAt = 0
  #dirCount = 0
  #sizeBytes = 0

  constructor(context: RepositoryContext, session: BackupSession, options: WalkOptions) {
    this.#context = context
    this.#session = session
    this.#options = options
    this.#excluded = pathMatcher(options.excludes ?? [])
    this.#parents = new ParentTrees(context, session.signal)
  }

  async run(): Promise<BackedUp> {
    const { paths, parent, excludes = [] } = this.#options
    try {
      const tree = await this.#saveTargets(this.#present(paths))
      if (this.filesNew + this.filesChanged + this.filesUnmodified + this.#dirCount === 0)
        throw repositoryError('REPOSITORY_BAD_ARGUMENT', `nothing of ${paths.join(', ')} could be read; no snapshot was made`)
      return {
        tree,
        paths,
        sizeBytes: this.#sizeBytes,
        fileCount: this.filesNew + this.filesChanged + this.filesUnmodified,
        dirCount: this.#dirCount,
        counts: { filesNew: this.filesNew, filesChanged: this.filesChanged, filesUnmodified: this.filesUnmodified },
        ...(parent && { parent: parent.id }),
        ...(excludes.length > 0 && { excludes }),
      }
    } finally {
      await this.#parents.close()
    }
  }

  /** A path that is not there is said, also where another one that is there would cover it. */
  #present(paths: readonly string[]): Buffer[][] {
    const targets: Buffer[][] = []
    for (const path of paths) {
      try {
        lstatSync(path)
        targets.push(splitPath(path))
      } catch (error) {
        this.#noteUnreadable(Buffer.from(path), error)
      }
    }
    return targets
  }

  /** The directories above what was asked for are in the snapshot too, with nothing else in them. */
  async #saveTargets(targets: ReadonlyArray<readonly Buffer[]>): Promise<Id> {
    const root = await this.#target(Buffer.alloc(0), targets, this.#options.parent?.tree)
    return this.#session.pipeline.addTree(joinTree(await Promise.all(root)))
  }

  async #target(folder: Buffer, targets: ReadonlyArray<readonly Buffer[]>, parentTree: Id | undefined): Promise<Entry[]> {
    // A whole file system was asked for.
    if (targets.some((names) => names.length === 0))
      return this.#entriesOf(folder, await this.#parents.nodes(parentTree), undefined)
    const before = await this.#parents.nodes(parentTree)
    const entries: Entry[] = []
    for (const below of Map.groupBy(targets, (names) => names[0]?.toString('latin1') ?? '').values()) {
      const [[name] = []] = below
      if (!name) continue
      const path = joinPath(folder, name)
      const old = before.get(name.toString('latin1'))
      const deeper = below.map((names) => names.slice(1))
      if (deeper.some((names) => names.length === 0)) entries.push(...(await this.#take(path, name, old, undefined)))
      else {
        const stat = lstatSync(path, { bigint: true })
        const inner = await this.#target(path, deeper, old?.subtree)
        entries.push(...(await this.#finishDirectory(nodeOf(name, stat), inner)))
      }
    }
    return entries
  }

  async #entriesOf(folder: Buffer, before: ReadonlyMap<string, TreeNode>, device: bigint | undefined): Promise<Entry[]> {
    const names = readdirSync(folder.length === 0 ? '/' : folder, { encoding: 'buffer' })
    const entries: Entry[] = []
    // One order, so that a parent's packs are read as they lie.
    for (const name of names.toSorted((a, b) => Buffer.compare(a, b)))
      entries.push(...(await this.#take(joinPath(folder, name), name, before.get(name.toString('latin1')), device)))
    return entries
  }

  /** Takes one entry up. None where it is excluded or cannot be read. */
  async #take(path: Buffer, name: Buffer, old: TreeNode | undefined, device: bigint | undefined): Promise<Entry[]> {
    await this.#giveTurn()
    this.#session.signal.throwIfAborted()
    if (this.#options.excludes?.length && this.#excluded(path.toString())) return []
    try {
      const stat = lstatSync(path, { bigint: true })
      const node = nodeOf(name, stat)
      if (node.type === 'dir') {
        const elsewhere = this.#options.oneFileSystem === true && device !== undefined && device !== stat.dev
        const inner = elsewhere ? [] : await this.#entriesOf(path, await this.#parents.nodes(old?.subtree), stat.dev)
        return await this.#finishDirectory(node, inner)
      }
      if (node.type === 'file') return await this.#takeFile(path, node, old)
      this.#count(node, old, false)
      const linkTarget = node.type === 'symlink' ? readlinkSync(path, { encoding: 'buffer' }) : undefined
      return [Promise.resolve({ name, json: renderNode({ ...node, ...(linkTarget && { linkTarget }) }) })]
    } catch (error) {
      this.#noteUnreadable(path, error)
      return []
    }
  }

  /** Ends when all that is in the directory is known; the walk goes on meanwhile, for so many directories at once. */
  async #finishDirectory(node: TreeNode, inner: readonly Entry[]): Promise<Entry[]> {
    this.#dirCount++
    const finish = async (): Promise<Rendered> => {
      const subtree = await this.#session.pipeline.addTree(joinTree(await Promise.all(inner)))
      return { name: node.name, json: renderNode({ ...node, subtree }) }
    }
    const finished = finish()
    await this.#unfinished.add(finished)
    return [finished]
  }

  async #takeFile(path: Buffer, node: TreeNode, old: TreeNode | undefined): Promise<Entry[]> {
    const size = node.size ?? 0
    if (old && this.#isUnchanged(node, old)) {
      this.#count(node, old, true)
      this.#sizeBytes += size
      this.#session.processed(size)
      return [Promise.resolve({ name: node.name, json: renderNode({ ...node, content: old.content }) })]
    }
    const key = `${node.deviceId}:${node.inode}`
    const several = (node.links ?? 0) > 1
    const known = several ? this.#linked.get(key) : undefined
    const read = known ? { content: known, node } : await this.#readFile(path, node)
    if (several) this.#linked.set(key, read.content)
    this.#count(node, old, false)
    const entry = read.content.then(({ ids, sizeBytes }) => {
      this.#sizeBytes += sizeBytes
      return { name: node.name, json: renderNode({ ...read.node, content: ids, size: sizeBytes }) }
    })
    entry.catch(() => undefined)
    return [entry]
  }

  /** Its blobs must be where nothing removes them; else it is read again. */
  #isUnchanged(node: TreeNode, old: TreeNode): boolean {
    const { compareCtime = true, compareInode = true } = this.#options
    return (
      old.type === 'file' &&
      (old.size ?? 0) === (node.size ?? 0) &&
      old.mtime === node.mtime &&
      (!compareCtime || old.ctime === node.ctime) &&
      (!compareInode || old.inode === node.inode) &&
      (old.content ?? []).every((id) => this.#context.index.blobs.find('data', id) !== undefined)
    )
  }

  async #readFile(path: Buffer, node: TreeNode): Promise<{ readonly content: Promise<FileContent>; readonly node: TreeNode }> {
    // A pipe put in the place of the file must not make us wait for its writer.
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const now = nodeOf(node.name, fstatSync(file, { bigint: true }))
      if (now.type !== 'file') throw new Error(`it became a ${now.type} while it was read`)
      const { content } = await this.#send(file, now.size ?? 0)
      return { content, node: now }
    } finally {
      closeSync(file)
    }
  }

  async #send(file: number, size: number): Promise<{ readonly content: Promise<FileContent> }> {
    const { pipeline, processed } = this.#session
    const begin = size <= minChunkBytes ? this.#readBeginning(file) : this.#buffer.subarray(0, 0)
    processed(begin.length)
    if (size <= minChunkBytes && begin.length <= minChunkBytes) return pipeline.addSmallFile(begin)
    const whole = pipeline.openFile()
    await whole.write(begin)
    for (let length = -1; length !== 0; processed(length)) length = await whole.fill((room) => readFrom(file, room))
    await whole.end()
    return whole
  }

  /** As much as the buffer holds, which is more than a small file has. */
  #readBeginning(file: number): Uint8Array {
    let length = 0
    for (let more = -1; more !== 0 && length < this.#buffer.length; length += more)
      more = readSync(file, this.#buffer, length, this.#buffer.length - length, null)
    return this.#buffer.subarray(0, length)
  }

  async #giveTurn(): Promise<void> {
    const { clock } = this.#context
    if (clock.now() - this.#turnAt < turnMs) return
    await setImmediate()
    this.#turnAt = clock.now()
  }

  #count(node: TreeNode, old: TreeNode | undefined, unchanged: boolean): void {
    if (unchanged) this.filesUnmodified++
    else if (old?.type === node.type) this.filesChanged++
    else this.filesNew++
  }

  #noteUnreadable(path: Buffer, error: unknown): void {
    this.#session.signal.throwIfAborted()
    const code = (error as NodeJS.ErrnoException | undefined)?.code
    // Anything but a word of the file system is a failure of the backup.
    if (code === undefined || (error as NodeJS.ErrnoException).syscall === undefined) throw error
    const text = `${path.toString()}: ${code}`
    this.unreadable.push(text)
    this.#options.onWarning?.(`left out, since it cannot be read: ${text}`)
  }
}
