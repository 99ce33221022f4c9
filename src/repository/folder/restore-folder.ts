import { chmod, lchown, lutimes, mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { BlobReader } from '../blob-reader.ts'
import type { RepositoryContext } from '../context.ts'
import { repositoryError } from '../errors.ts'
import { unixModeOf } from '../format/file-mode.ts'
import { type Id, shortId } from '../format/ids.ts'
import type { TreeNode } from '../format/node.ts'
import { type PathMatcher, pathMatcher } from '../path-pattern.ts'
import { type RestoreOptions, findNode, withReader } from '../restore-stream.ts'
import { getSnapshot } from '../snapshots.ts'
import { splitPath } from '../tree-path.ts'
import { joinPath } from '../walk-tree.ts'
import { type FilePlan, planFile } from './plan-file.ts'
import { makeEntry, makeRoom } from './make-entry.ts'
import { FileWriter } from './write-file.ts'

export interface RestoreFolderOptions extends RestoreOptions {
  /** Made where it is missing. What is in it and not in the snapshot is left alone. */
  readonly target: string
  /** A file or folder of the snapshot, which then lands in the target itself. @default everything, below the target with its whole path */
  readonly path?: string
  /** Patterns of `path-pattern.ts` for paths in the snapshot. @default everything */
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
  /** Leave holes where there are zeros. @default false */
  readonly sparse?: boolean
  /**
   * What to do with a file that is there already. `metadata`: one of the same size and time of modification is right; of others, the parts that are
   * right are kept. `content`: every part is compared. `never`: whatever is there stays.
   * @default metadata
   */
  readonly existing?: 'metadata' | 'content' | 'never'
  readonly onProgress?: (progress: RestoreProgress) => void
}

export interface RestoreProgress {
  readonly entries: number
  /** Bytes of files that are right now, written or found so. */
  readonly bytes: number
}

export interface RestoreFolderResult {
  readonly snapshotId: Id
  readonly entries: number
  readonly filesWritten: number
  /** Files that were right before, as a whole. */
  readonly filesKept: number
  readonly bytesWritten: number
  /** Of files: found right, and not read from the repository. */
  readonly bytesKept: number
}

interface Place {
  /** On this machine, and in the snapshot. */
  readonly path: Buffer
  readonly inside: Buffer
  /** Makes the directory that it is in. */
  readonly ensure: () => Promise<void>
}

const nothingToMake = (): Promise<void> => Promise.resolve()

interface Visit {
  readonly node: TreeNode
  /** On this machine. */
  readonly path: Buffer
  /** A directory after what is in it: then it gets its times. */
  readonly after: boolean
  readonly plan: FilePlan | undefined
  readonly linkOf: Buffer | undefined
}

/**
 * Restores into a folder of this machine. Broken off and begun again, it goes on: what is right already is found out and kept, down to the blob. A file gets its time
 * of modification last, so an unfinished one is never taken for right. Owners are set where this process may. Times are
 * exact to the microsecond, as far as Node can; extended attributes and sockets are left out with a warning.
 */
export async function restoreFolder(context: RepositoryContext, options: RestoreFolderOptions): Promise<RestoreFolderResult> {
  const results = withReader(context, options, async function* (reader, signal) {
    yield await new FolderRestore(context, reader, options, signal).run()
  })
  for await (const result of results) return result
  throw new Error('a restore ended without a result')
}

class FolderRestore {
  readonly #context: RepositoryContext
  readonly #reader: BlobReader
  readonly #options: RestoreFolderOptions
  readonly #signal: AbortSignal
  readonly #included: PathMatcher
  readonly #excluded: PathMatcher
  /** First names of files that have several, by device and inode. */
  readonly #linked = new Map<string, Buffer>()
  readonly #counts = { entries: 0, filesWritten: 0, filesKept: 0, bytesWritten: 0, bytesKept: 0 }
  #attributesLost = 0
  #ownersLost = 0

  constructor(context: RepositoryContext, reader: BlobReader, options: RestoreFolderOptions, signal: AbortSignal) {
    this.#context = context
    this.#reader = reader
    this.#options = options
    this.#signal = signal
    this.#included = options.include?.length ? pathMatcher(options.include) : () => true
    this.#excluded = pathMatcher(options.exclude ?? [])
  }

  async run(): Promise<RestoreFolderResult> {
    const snapshot = await getSnapshot(this.#context, this.#options.snapshot, this.#signal)
    const target = Buffer.from(resolve(this.#options.target))
    await mkdir(target, { recursive: true })
    const queue: Visit[] = []
    const walk = this.#walk(snapshot.tree, target, `snapshot ${shortId(snapshot.id)}`)
    const blobs = this.#reader.data(wantedOf(walk, queue), { lend: true })
    try {
      // Asking for the first blob walks as far as it; whatever comes before it is then in the queue.
      let blob = await blobs.next()
      for (let visit = queue.shift(); visit; visit = queue.shift()) {
        this.#signal.throwIfAborted()
        if (!visit.plan) await this.#finish(visit)
        else {
          const file = await FileWriter.open(visit.path, visit.plan, this.#options.sparse ?? false)
          try {
            for (const part of visit.plan.parts) {
              if (blob.done) throw new Error('fewer blobs than asked for')
              await file.write(part, blob.value)
              this.#counts.bytesWritten += part.length
              this.#say()
              blob = await blobs.next()
            }
          } finally {
            await file.close()
          }
          this.#counts.filesWritten++
          await this.#finish(visit)
        }
      }
    } finally {
      await blobs.return(undefined)
    }
    this.#sayLosses()
    return { snapshotId: snapshot.id, ...this.#counts }
  }

  async *#walk(tree: Id, target: Buffer, where: string): AsyncGenerator<Visit, void, void> {
    const names = splitPath(this.#options.path ?? '')
    if (names.length === 0) return yield* this.#children({ tree, path: target, inside: Buffer.alloc(0), ensure: nothingToMake })
    const node = await findNode(this.#reader, tree, names)
    if (!node)
      throw repositoryError('REPOSITORY_PATH_NOT_FOUND', `${where}: ${JSON.stringify(this.#options.path)} is not in it`)
    const inside = names.reduce(joinPath, Buffer.alloc(0))
    if (node.subtree) {
      yield* this.#children({ tree: node.subtree, path: target, inside, ensure: nothingToMake })
      return yield { node, path: target, after: true, plan: undefined, linkOf: undefined }
    }
    yield* this.#visit(node, { path: joinPath(target, node.name), inside, ensure: nothingToMake })
  }

  async *#children({ tree, path, inside, ensure }: Place & { readonly tree: Id }): AsyncGenerator<Visit, void, void> {
    for (const node of await this.#reader.tree(tree))
      yield* this.#visit(node, { path: joinPath(path, node.name), inside: joinPath(inside, node.name), ensure })
  }

  async *#visit(node: TreeNode, place: Place): AsyncGenerator<Visit, void, void> {
    this.#signal.throwIfAborted()
    const { path, inside, ensure } = place
    const text = inside.toString()
    if (this.#excluded(text)) return
    if (node.type === 'dir') return yield* this.#directory(node, place, this.#included(text))
    if (!this.#included(text)) return
    await ensure()
    const key = `${node.deviceId}:${node.inode}`
    const several = (node.links ?? 0) > 1 && node.inode !== undefined
    const first = several ? this.#linked.get(key) : undefined
    if (first) return yield { node, path, after: false, plan: undefined, linkOf: first }
    if (several) this.#linked.set(key, path)
    const plan = node.type === 'file' ? await this.#plan(node, path) : undefined
    if (plan !== 'right') yield { node, path, after: false, plan, linkOf: undefined }
  }

  /** A directory is made when it is asked for, or when the first thing in it needs it. */
  async *#directory(node: TreeNode, { path, inside, ensure }: Place, included: boolean): AsyncGenerator<Visit, void, void> {
    let made = false
    const make = async (): Promise<void> => {
      if (made) return
      await ensure()
      await makeRoom(path, 'directory')
      made = true
    }
    if (included) await make()
    if (node.subtree) yield* this.#children({ tree: node.subtree, path, inside, ensure: make })
    if (made) yield { node, path, after: true, plan: undefined, linkOf: undefined }
  }

  async #plan(node: TreeNode, path: Buffer): Promise<FilePlan | 'right'> {
    const plan = await planFile(this.#context, node, path, this.#options.existing ?? 'metadata')
    if (plan === 'right') {
      this.#counts.entries++
      this.#counts.filesKept++
      this.#counts.bytesKept += node.size ?? 0
      this.#say()
      return plan
    }
    this.#counts.bytesKept += plan.keptBytes
    return plan
  }

  /** What is not content: the entry itself where it is no file, then owner, mode and times. */
  async #finish({ node, path, plan, linkOf }: Visit): Promise<void> {
    this.#counts.entries++
    if (!plan && node.type !== 'dir') {
      const made = await makeEntry(node, path, linkOf)
      if (!made) return this.#options.onWarning?.(`socket ${JSON.stringify(path.toString())} is not restored`)
      if (linkOf) return
    }
    this.#attributesLost += node.extendedAttributes?.length ?? 0
    await this.#setOwner(node, path)
    if (node.type !== 'symlink') await chmod(path, unixModeOf(node.mode))
    const mtime = secondsOf(node.mtime)
    await lutimes(path, mtime, mtime)
    this.#say()
  }

  /** Before the mode: a change of owner takes setuid away. */
  async #setOwner(node: TreeNode, path: Buffer): Promise<void> {
    try {
      await lchown(path, node.uid, node.gid)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error
      this.#ownersLost++
    }
  }

  #say(): void {
    const { entries, bytesWritten, bytesKept } = this.#counts
    this.#options.onProgress?.({ entries, bytes: bytesWritten + bytesKept })
  }

  #sayLosses(): void {
    const { onWarning } = this.#options
    if (this.#attributesLost > 0) onWarning?.(`${this.#attributesLost} extended attributes were not restored`)
    if (this.#ownersLost > 0) onWarning?.(`${this.#ownersLost} entries belong to this user, who may not give them away`)
  }
}

/** Lets the reader see the blobs that are wanted, and keeps the walk for the writer, who is behind. */
async function* wantedOf(walk: AsyncGenerator<Visit>, queue: Visit[]): AsyncGenerator<Id> {
  for await (const visit of walk) {
    queue.push(visit)
    for (const { id } of visit.plan?.parts ?? []) yield id
  }
}

function secondsOf(nanos: bigint): number {
  return Number(nanos / 1000n) / 1_000_000
}
