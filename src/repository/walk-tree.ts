import type { BlobReader } from './blob-reader.ts'
import type { Id } from './format/ids.ts'
import type { TreeNode } from './format/node.ts'

/** A node and where it is: `/a/b`, bytes as the names are. */
export interface WalkedNode {
  readonly path: Buffer
  readonly node: TreeNode
}

const slash = Buffer.from('/')

/** Everything below a tree, in the order of names, a directory before what is in it. `enter` says whether to go into a directory. */
export async function* walkTree(
  reader: Pick<BlobReader, 'tree'>,
  tree: Id,
  parent: Buffer,
  enter: (walked: WalkedNode) => boolean = () => true,
): AsyncGenerator<WalkedNode, void, void> {
  for (const node of await reader.tree(tree)) {
    const walked = { path: joinPath(parent, node.name), node }
    yield walked
    if (node.subtree && enter(walked)) yield* walkTree(reader, node.subtree, walked.path, enter)
  }
}

/** `parent` without a slash at its end; the root is empty. */
export function joinPath(parent: Buffer, name: Buffer): Buffer {
  return Buffer.concat([parent, slash, name])
}
