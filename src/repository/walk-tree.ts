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
  const open = [{ nodes: (await reader.tree(tree)).values(), path: parent }]
  // A list, not recursion: directories may lie thousands deep in each other.
  for (let here = open.at(-1); here; here = open.at(-1)) {
    const next = here.nodes.next()
    if (next.done) {
      open.pop()
      continue
    }
    const node = next.value
    const walked = { path: joinPath(here.path, node.name), node }
    yield walked
    if (node.subtree && enter(walked)) open.push({ nodes: (await reader.tree(node.subtree)).values(), path: walked.path })
  }
}

/** `parent` without a slash at its end; the root is empty. */
export function joinPath(parent: Buffer, name: Buffer): Buffer {
  return Buffer.concat([parent, slash, name])
}
