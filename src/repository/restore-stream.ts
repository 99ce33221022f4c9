import { BlobReader } from './blob-reader.ts'
import type { RepositoryContext } from './context.ts'
import { repositoryError } from './errors.ts'
import { type Id, shortId } from './format/ids.ts'
import type { TreeNode } from './format/node.ts'
import { acquireLock } from './lock.ts'
import { type SnapshotQuery, getSnapshot } from './snapshots.ts'
import { splitPath } from './tree-path.ts'

export interface RestoreOptions {
  readonly snapshot: SnapshotQuery
  readonly signal?: AbortSignal
  readonly onWarning?: (warning: string) => void
  /** As of a backup: each id that the lock has, so that whoever takes the work over can remove it. */
  readonly onLock?: (id: Id) => void | Promise<void>
}

export interface RestoreStreamOptions extends RestoreOptions {
  /** Of the file. @default the one file of the snapshot, where it has only one */
  readonly path?: string
  /**
   * True: each piece is used up when the next one is asked for, and its memory is taken back then. Not for whoever keeps pieces, as streams with
   * buffers do. @default false
   */
  readonly lend?: boolean
  /** Called before the first bytes. */
  readonly onOpen?: (file: { readonly sizeBytes: number }) => void
}

/** The bytes of one file, each blob checked before any of it is given out. Ends with an error rather than short. */
export async function* restoreStream(context: RepositoryContext, options: RestoreStreamOptions): AsyncGenerator<Uint8Array> {
  yield* withReader(context, options, async function* (reader, signal) {
    const snapshot = await getSnapshot(context, options.snapshot, signal)
    const where = `snapshot ${shortId(snapshot.id)}`
    const file =
      options.path === undefined
        ? await onlyFile(reader, snapshot.tree, where)
        : await fileAt(reader, snapshot.tree, options.path, where)
    options.onOpen?.({ sizeBytes: file.size ?? 0 })
    let sizeBytes = 0
    for await (const bytes of reader.data(file.content ?? [], { lend: options.lend ?? false })) {
      sizeBytes += bytes.length
      yield bytes
    }
    if (sizeBytes !== (file.size ?? 0)) {
      throw repositoryError(
        'REPOSITORY_DAMAGED',
        `${where}: "${file.name.toString()}" has ${sizeBytes} bytes instead of ${file.size ?? 0}`,
      )
    }
  })
}

/** Lock, index, reader; all given back however the reading ends. */
export async function* withReader<T>(
  context: RepositoryContext,
  options: Pick<RestoreOptions, 'signal' | 'onWarning' | 'onLock'>,
  read: (reader: BlobReader, signal: AbortSignal) => AsyncGenerator<T>,
): AsyncGenerator<T> {
  const { signal, onWarning, onLock } = options
  const lock = await acquireLock(context, {
    exclusive: false,
    readOnly: true,
    ...(signal && { signal }),
    ...(onWarning && { onWarning }),
    ...(onLock && { onLock }),
  })
  const left = new AbortController()
  const both = AbortSignal.any([lock.signal, left.signal])
  const reader = new BlobReader(context, both)
  try {
    await context.index.refresh(both)
    yield* read(reader, both)
  } finally {
    // Requests under way end with whoever asked.
    left.abort(new Error('the reading ended'))
    await reader.close()
    await lock.release()
  }
}

/** Walks down from a tree; undefined where a name is missing or not a directory. */
export async function findNode(reader: BlobReader, tree: string, names: readonly Buffer[]): Promise<TreeNode | undefined> {
  let at: string | undefined = tree
  let node: TreeNode | undefined
  for (const name of names) {
    if (at === undefined) return undefined
    node = (await reader.tree(at)).find((candidate) => candidate.name.equals(name))
    at = node?.subtree
    if (!node) return undefined
  }
  return node
}

async function fileAt(reader: BlobReader, tree: string, path: string, where: string): Promise<TreeNode> {
  const node = await findNode(reader, tree, splitPath(path))
  if (node?.type === 'file') return node
  throw repositoryError(
    'REPOSITORY_PATH_NOT_FOUND',
    `${where}: ${JSON.stringify(path)} is ${node ? `a ${node.type}, not a file` : 'not in it'}`,
  )
}

async function onlyFile(reader: BlobReader, tree: string, where: string): Promise<TreeNode> {
  for (let at = tree; ;) {
    const nodes = await reader.tree(at)
    const [node] = nodes
    if (nodes.length === 1 && node?.type === 'file') return node
    if (nodes.length !== 1 || !node?.subtree) {
      throw repositoryError('REPOSITORY_PATH_NOT_FOUND', `${where}: holds more than one file, or none; say which by its path`)
    }
    at = node.subtree
  }
}
