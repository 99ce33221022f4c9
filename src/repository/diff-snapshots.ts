import { assertNever } from '../base/errors.ts'
import type { RepositoryContext } from './context.ts'
import { renderNode, type TreeNode } from './format/node.ts'
import type { Id } from './format/ids.ts'
import { rawLength } from './format/pack-header.ts'
import { withReader } from './restore-stream.ts'
import { type SnapshotQuery, getSnapshot } from './snapshots.ts'
import { joinPath } from './walk-tree.ts'

export interface DiffOptions {
  readonly from: SnapshotQuery
  readonly to: SnapshotQuery
  /** Also nodes whose content is the same and whose owner, mode or times are not. @default false */
  readonly metadata?: boolean
  readonly signal?: AbortSignal
  readonly onWarning?: (warning: string) => void
}

/** What became of a path. `metadata`: only owner, mode or times; `type`: it is another kind of thing now. */
export type DiffKind = 'added' | 'removed' | 'content' | 'metadata' | 'type'

export interface DiffEntry {
  readonly kind: DiffKind
  readonly path: Buffer
  /** As it is now; as it was, where it was removed. */
  readonly node: TreeNode
  /** Plain bytes of the file's blobs that the other side's node of this path does not have. */
  readonly addedBytes: number
  readonly removedBytes: number
}

/** What changed from one snapshot to another, in the order of paths; subtrees that are the same are not read. */
export async function* diffSnapshots(context: RepositoryContext, options: DiffOptions): AsyncGenerator<DiffEntry> {
  yield* withReader(context, options, async function* (reader, signal) {
    const from = await getSnapshot(context, options.from, signal)
    const to = await getSnapshot(context, options.to, signal)
    yield* diffTrees(from.tree, to.tree, Buffer.alloc(0))

    async function* diffTrees(a: Id | undefined, b: Id | undefined, parent: Buffer): AsyncGenerator<DiffEntry> {
      if (a === b) return
      const before = a ? await reader.tree(a) : []
      const after = b ? await reader.tree(b) : []
      for (const [old, now] of pairByName(before, after)) yield* diffNodes(old, now, parent)
    }

    async function* diffNodes(old: TreeNode | undefined, now: TreeNode | undefined, parent: Buffer): AsyncGenerator<DiffEntry> {
      const node = now ?? old
      if (!node) return
      const path = joinPath(parent, node.name)
      const kind = kindOf(old, now, options.metadata ?? false)
      if (kind) yield { kind, path, node, ...bytesBetween(context, old, now) }
      // Where a directory became something else, what was in it is gone too.
      yield* diffTrees(old?.subtree, now?.subtree, path)
    }
  })
}

/** The letter that restic prints before the path. */
export function diffLetter(kind: DiffKind): string {
  switch (kind) {
    case 'added':
      return '+'
    case 'removed':
      return '-'
    case 'content':
      return 'M'
    case 'metadata':
      return 'U'
    case 'type':
      return 'T'
    default:
      return assertNever(kind)
  }
}

function* pairByName(
  before: readonly TreeNode[],
  after: readonly TreeNode[],
): Generator<readonly [TreeNode | undefined, TreeNode | undefined]> {
  let [i, j] = [0, 0]
  while (i < before.length || j < after.length) {
    const [old, now] = [before[i], after[j]]
    const order = !old ? 1 : !now ? -1 : Buffer.compare(old.name, now.name)
    if (order <= 0) i++
    if (order >= 0) j++
    yield [order <= 0 ? old : undefined, order >= 0 ? now : undefined]
  }
}

function kindOf(old: TreeNode | undefined, now: TreeNode | undefined, metadata: boolean): DiffKind | undefined {
  if (!old) return 'added'
  if (!now) return 'removed'
  if (old.type !== now.type) return 'type'
  const sameContent = (old.content ?? []).join() === (now.content ?? []).join()
  if (!sameContent || !(old.linkTarget ?? Buffer.alloc(0)).equals(now.linkTarget ?? Buffer.alloc(0))) return 'content'
  return metadata && textOf(old) !== textOf(now) ? 'metadata' : undefined
}

/** What of a node is not its content; a directory's tree is compared by itself. */
function textOf(node: TreeNode): string {
  return renderNode({ ...node, content: null, subtree: undefined, atime: 0n })
}

function bytesBetween(
  context: RepositoryContext,
  old: TreeNode | undefined,
  now: TreeNode | undefined,
): { readonly addedBytes: number; readonly removedBytes: number } {
  const [before, after] = [new Set(old?.content ?? []), new Set(now?.content ?? [])]
  const bytesOf = (ids: ReadonlySet<Id>): number =>
    [...ids].reduce((sum, id) => {
      const location = context.index.find('data', id)
      return sum + (location ? rawLength(location) : 0)
    }, 0)
  return { addedBytes: bytesOf(after.difference(before)), removedBytes: bytesOf(before.difference(after)) }
}
