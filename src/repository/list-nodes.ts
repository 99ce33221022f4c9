import type { RepositoryContext } from './context.ts'
import { repositoryError } from './errors.ts'
import { shortId } from './format/ids.ts'
import { exactMatcher } from './path-pattern.ts'
import { type RestoreOptions, findNode, withReader } from './restore-stream.ts'
import { type Snapshot, type SnapshotFilter, getSnapshot, listSnapshots, matchesFilter } from './snapshots.ts'
import { splitPath } from './tree-path.ts'
import { type WalkedNode, joinPath, walkTree } from './walk-tree.ts'

export interface ListNodesOptions extends RestoreOptions {
  /** A file or directory of the snapshot. @default everything */
  readonly path?: string
  /** Also what lies deeper than one level below `path`. @default true */
  readonly recursive?: boolean
}

/** What is in a snapshot, as `restic ls` says it: `path` itself first, where one was asked for. */
export async function* listNodes(context: RepositoryContext, options: ListNodesOptions): AsyncGenerator<WalkedNode> {
  const { recursive = true } = options
  yield* withReader(context, options, async function* (reader, signal) {
    const snapshot = await getSnapshot(context, options.snapshot, signal)
    const names = splitPath(options.path ?? '')
    if (names.length === 0) return yield* walkTree(reader, snapshot.tree, Buffer.alloc(0), () => recursive)
    const node = await findNode(reader, snapshot.tree, names)
    if (!node) {
      const where = `snapshot ${shortId(snapshot.id)}`
      throw repositoryError('REPOSITORY_PATH_NOT_FOUND', `${where}: ${JSON.stringify(options.path)} is not in it`)
    }
    const path = names.reduce(joinPath, Buffer.alloc(0))
    yield { path, node }
    if (node.subtree) yield* walkTree(reader, node.subtree, path, () => recursive)
  })
}

export interface FindNodesOptions {
  /** Of names or paths; see `path-pattern.ts`. A node that fits any is found. */
  readonly patterns: readonly string[]
  readonly ignoreCase?: boolean
  /** @default all snapshots */
  readonly filter?: SnapshotFilter
  /** Epoch ms: only what was modified then or later, or then or earlier. */
  readonly newest?: number
  readonly oldest?: number
  readonly signal?: AbortSignal
  readonly onWarning?: (warning: string) => void
}

export interface FoundNode extends WalkedNode {
  readonly snapshot: Snapshot
}

/** Looks for names in snapshots, the oldest first. */
export async function* findNodes(context: RepositoryContext, options: FindNodesOptions): AsyncGenerator<FoundNode> {
  const matches = exactMatcher(options.patterns, { ignoreCase: options.ignoreCase ?? false })
  yield* withReader(context, options, async function* (reader, signal) {
    const snapshots = await listSnapshots(context, signal)
    for (const snapshot of snapshots.filter((one) => matchesFilter(one, options.filter ?? {}))) {
      for await (const walked of walkTree(reader, snapshot.tree, Buffer.alloc(0))) {
        if (matches(walked.path.toString()) && isWithin(walked, options)) yield { snapshot, ...walked }
      }
    }
  })
}

function isWithin({ node }: WalkedNode, { oldest = -Infinity, newest = Infinity }: FindNodesOptions): boolean {
  const mtimeMs = Number(node.mtime / 1_000_000n)
  return mtimeMs >= oldest && mtimeMs <= newest
}
