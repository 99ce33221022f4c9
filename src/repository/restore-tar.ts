import type { BlobReader } from './blob-reader.ts'
import type { RepositoryContext } from './context.ts'
import { splitDeviceNumber } from './device-number.ts'
import { repositoryError } from './errors.ts'
import { unixModeOf } from './format/file-mode.ts'
import { type Id, shortId } from './format/ids.ts'
import type { TreeNode } from './format/node.ts'
import { type RestoreOptions, findNode, withReader } from './restore-stream.ts'
import { getSnapshot } from './snapshots.ts'
import type { TarEntryType } from './tar/read-tar.ts'
import { paddingAfter, renderEnd, renderEntryBlocks } from './tar/render-tar.ts'
import { splitPath } from './tree-path.ts'

export interface RestoreTarOptions extends RestoreOptions {
  /** A file or folder of the snapshot. @default everything */
  readonly path?: string
  /**
   * Folder whose names are taken off the entries: with `path` and `stripPrefix` both `/var/lib/data` the archive holds `./…`, to be unpacked in
   * any folder. Must be `path` or above it. @default nothing is taken off; entries begin with their first name, without a slash
   */
  readonly stripPrefix?: string
  readonly onEntry?: (entry: { readonly path: Buffer; readonly sizeBytes: number }) => void
}

/** Small pieces are gathered up to this. */
const pieceBytes = 128 << 10

/**
 * A tar stream for `tar -x`, GNU or BusyBox. Directories come before and again after what is in them: before, so that it has a place; after,
 * since BusyBox does not wait with their times. Zeros are written out: BusyBox knows no sparse files. Sockets are left out with a warning, as no
 * tar can hold them.
 */
export async function* restoreTar(context: RepositoryContext, options: RestoreTarOptions): AsyncGenerator<Uint8Array> {
  yield* withReader(context, options, (reader, signal) => gather(renderSnapshot(context, reader, { ...options, signal })))
}

async function* renderSnapshot(
  context: RepositoryContext,
  reader: BlobReader,
  options: RestoreTarOptions,
): AsyncGenerator<Uint8Array> {
  const snapshot = await getSnapshot(context, options.snapshot, options.signal)
  const walk = walkFrom(reader, snapshot.tree, options, `snapshot ${shortId(snapshot.id)}`)
  const queue: Visit[] = []
  const blobs = reader.data(contentsOf(walk, queue))
  try {
    // Asking for the first blob walks as far as it; whatever comes before it is then in the queue.
    let blob = await blobs.next()
    for (let visit = queue.shift(); visit; visit = queue.shift()) {
      const { path, node } = visit
      const entry = entryOf(visit)
      if (!entry) {
        options.onWarning?.(`socket ${JSON.stringify(path.toString())} is not restored: a tar cannot hold it`)
        continue
      }
      yield renderEntryBlocks(entry)
      if (!visit.again) options.onEntry?.({ path, sizeBytes: entry.sizeBytes ?? 0 })
      let sizeBytes = 0
      for (let left = visit.content.length; left > 0; left--) {
        if (blob.done) throw new Error('fewer blobs than asked for')
        sizeBytes += blob.value.length
        yield blob.value
        blob = await blobs.next()
      }
      assertSize(node, sizeBytes, entry.sizeBytes ?? 0, path)
      yield paddingAfter(sizeBytes)
    }
    yield renderEnd()
  } finally {
    await blobs.return(undefined)
  }
}

/** A node on the walk; `content` is empty where its bytes are not wanted (further names of a file, directories). */
interface Visit {
  readonly path: Buffer
  readonly node: TreeNode
  readonly content: readonly Id[]
  /** A directory after what is in it. */
  readonly again: boolean
  /** The first name of a file that has several, where this is another one. */
  readonly linkOf: Buffer | undefined
}

/** Lets the reader see the blobs of what is walked, and keeps the walk for the writer, who is behind. */
async function* contentsOf(walk: AsyncGenerator<Visit>, queue: Visit[]): AsyncGenerator<Id> {
  for await (const visit of walk) {
    queue.push(visit)
    yield* visit.content
  }
}

async function* walkFrom(reader: BlobReader, tree: Id, options: RestoreTarOptions, where: string): AsyncGenerator<Visit> {
  const wanted = splitPath(options.path ?? '')
  const strip = splitPath(options.stripPrefix ?? '')
  if (strip.length > wanted.length || strip.some((name, i) => !wanted[i]?.equals(name))) {
    throw repositoryError(
      'REPOSITORY_BAD_ARGUMENT',
      `the prefix ${JSON.stringify(options.stripPrefix)} is not above the path ${JSON.stringify(options.path ?? '/')}`,
    )
  }
  const visitor = new Walk(reader)
  const kept = wanted.slice(strip.length)
  if (wanted.length === 0) return yield* visitor.children(tree, Buffer.alloc(0))
  const node = await findNode(reader, tree, wanted)
  if (!node) throw repositoryError('REPOSITORY_PATH_NOT_FOUND', `${where}: ${JSON.stringify(options.path)} is not in it`)
  // A file cannot become nameless: it keeps its own name.
  const names = kept.length > 0 ? kept : node.type === 'dir' ? [Buffer.from('.')] : [node.name]
  yield* visitor.node(node, joinNames(names))
}

class Walk {
  readonly #reader: BlobReader
  /** First names of files with several, by inode and device. */
  readonly #inodes = new Map<string, Buffer>()

  constructor(reader: BlobReader) {
    this.#reader = reader
  }

  /** All that is in a directory. A list, not recursion: directories may lie thousands deep in each other. */
  async *children(tree: Id, parent: Buffer): AsyncGenerator<Visit> {
    const open = [await this.#open(tree, parent)]
    for (let here = open.at(-1); here; here = open.at(-1)) {
      const next = here.nodes.next()
      if (next.done) {
        open.pop()
        if (here.again) yield here.again
        continue
      }
      const node = next.value
      const path = here.path.length === 0 ? node.name : joinNames([here.path, node.name])
      yield this.#visit(node, path)
      if (node.type === 'dir' && node.subtree) open.push(await this.#open(node.subtree, path, visitAgain(node, path)))
    }
  }

  async *node(node: TreeNode, path: Buffer): AsyncGenerator<Visit> {
    yield this.#visit(node, path)
    if (node.type !== 'dir' || !node.subtree) return
    yield* this.children(node.subtree, path)
    yield visitAgain(node, path)
  }

  async #open(tree: Id, path: Buffer, again?: Visit) {
    return { nodes: (await this.#reader.tree(tree)).values(), path, again }
  }

  #visit(node: TreeNode, path: Buffer): Visit {
    const linkOf = this.#firstName(node, path)
    return { path, node, content: linkOf ? [] : (node.content ?? []), again: false, linkOf }
  }

  #firstName(node: TreeNode, path: Buffer): Buffer | undefined {
    if (node.type !== 'file' || (node.links ?? 0) < 2 || node.inode === undefined) return undefined
    const key = `${node.deviceId ?? 0}:${node.inode}`
    const first = this.#inodes.get(key)
    if (!first) this.#inodes.set(key, path)
    return first
  }
}

function visitAgain(node: TreeNode, path: Buffer): Visit {
  return { path, node, content: [], again: true, linkOf: undefined }
}

type Entry = Parameters<typeof renderEntryBlocks>[0]

function entryOf({ node, path, linkOf }: Visit): Entry | undefined {
  const type: TarEntryType | undefined = linkOf ? 'hardlink' : node.type === 'socket' ? undefined : node.type
  if (!type) return undefined
  return {
    type,
    path,
    mode: unixModeOf(node.mode),
    uid: node.uid,
    gid: node.gid,
    mtime: node.mtime,
    attributes: node.extendedAttributes,
    ...(type === 'file' && { sizeBytes: node.size ?? 0 }),
    ...(linkOf && { linkTarget: linkOf }),
    ...(node.linkTarget && { linkTarget: node.linkTarget }),
    ...(node.device !== undefined && splitDeviceNumber(node.device)),
  }
}

function assertSize(node: TreeNode, found: number, expected: number, path: Buffer): void {
  if (node.type !== 'file' || found === expected) return
  throw repositoryError('REPOSITORY_DAMAGED', `${JSON.stringify(path.toString())} has ${found} bytes instead of ${expected}`)
}

function joinNames(names: readonly Buffer[]): Buffer {
  return Buffer.concat(names.flatMap((name, i) => (i === 0 ? [name] : [Buffer.from('/'), name])))
}

/** Headers of 512 bytes would each cost their reader a turn. */
async function* gather(pieces: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  let small: Uint8Array[] = []
  let bytes = 0
  for await (const piece of pieces) {
    if (piece.length === 0) continue
    small.push(piece)
    bytes += piece.length
    if (bytes < pieceBytes) continue
    yield small.length === 1 ? piece : Buffer.concat(small)
    small = []
    bytes = 0
  }
  if (bytes > 0) yield Buffer.concat(small)
}
