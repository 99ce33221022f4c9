import { Semaphore } from '../base/semaphore.ts'
import { repositoryError } from './errors.ts'
import { goModeOf } from './format/file-mode.ts'
import type { Nanos } from './format/go-time.ts'
import type { Id } from './format/ids.ts'
import { type TreeNode, renderNode } from './format/node.ts'
import { joinTree, parseTree } from './format/tree.ts'
import type { FileContent } from './pipeline/file-assembly.ts'

/** A node before its directory is complete. */
export type NodeDraft = Omit<TreeNode, 'name' | 'content' | 'subtree'>

/** Trees on their way to the threads at once. */
const treesAtOnce = 64

class Directory {
  draft: NodeDraft
  readonly children = new Map<string, Directory | Leaf | Link>()

  constructor(draft: NodeDraft) {
    this.draft = draft
  }
}

/** Everything but a directory. Text as soon as it is complete, since that is the smallest form: about 350 bytes a file. */
interface Leaf {
  node: TreeNode | undefined
  json: string | undefined
  /** A file's bytes are still on their way. */
  content: Promise<FileContent> | undefined
  /** Names it has besides the first; more than none makes it an inode. */
  links: number
  inode: bigint
}

interface Link {
  readonly leaf: Leaf
  readonly name: Buffer
}

/**
 * Directories of a snapshot as their entries come, in any order; a later entry of a name replaces an earlier one, as when a tar is unpacked.
 * Memory grows with the number of entries, not with their bytes.
 */
export class TreeBuilder {
  readonly #root: Directory
  readonly #time: Nanos
  #inodes = 0n
  #failure: { readonly error: unknown } | undefined

  constructor(time: Nanos) {
    this.#time = time
    this.#root = new Directory(this.#impliedDraft())
  }

  addDirectory(path: readonly Buffer[], draft: NodeDraft): void {
    this.#directoryAt(path).draft = draft
  }

  addNode(path: readonly Buffer[], draft: NodeDraft, content?: Promise<FileContent>): void {
    const name = path.at(-1)
    if (!name) throw repositoryError('REPOSITORY_BAD_TAR', 'the tar stream has a file where its root should be')
    const leaf: Leaf = { node: { ...draft, name, content: null }, json: undefined, content, links: 0, inode: 0n }
    this.#directoryAt(path.slice(0, -1)).children.set(name.toString('latin1'), leaf)
    if (content) void this.#complete(leaf, content)
    else finish(leaf)
  }

  /** Another name of a file that came before. */
  addLink(path: readonly Buffer[], target: readonly Buffer[]): void {
    const name = path.at(-1)
    const parent = this.#directoryAt(path.slice(0, -1))
    const found = this.#find(target)
    if (!name || !found) {
      const text = (names: readonly Buffer[]): string => JSON.stringify(names.map(String).join('/'))
      throw repositoryError(
        'REPOSITORY_BAD_TAR',
        `the tar stream makes ${text(path)} a hard link of ${text(target)}, which is not in it before`,
      )
    }
    if (parent.children.get(name.toString('latin1')) === found) return
    found.links++
    if (found.links === 1) found.inode = ++this.#inodes
    if (found.json !== undefined) {
      // It must be rendered anew once the number of its names is known.
      found.node = parseTree(Buffer.from(`{"nodes":[${found.json}]}`), 'a file just read')[0]
      found.json = undefined
    }
    parent.children.set(name.toString('latin1'), { leaf: found, name })
  }

  /** Saves all trees from the leaves up; resolves to the root's id. */
  async save(
    addTree: (bytes: Uint8Array<ArrayBuffer>) => Promise<Id>,
  ): Promise<{ readonly tree: Id; readonly dirCount: number }> {
    const semaphore = new Semaphore(treesAtOnce)
    let dirCount = 0
    const saveDirectory = async (directory: Directory): Promise<Id> => {
      const rendered = await Promise.all(
        [...directory.children].map(async ([key, child]) => {
          const name = Buffer.from(key, 'latin1')
          if (!(child instanceof Directory)) return { name, json: await this.#render(name, child) }
          const subtree = await saveDirectory(child)
          dirCount++
          return { name, json: renderNode({ ...child.draft, name, content: null, subtree }) }
        }),
      )
      directory.children.clear()
      return semaphore.run(() => addTree(new Uint8Array(joinTree(rendered))))
    }
    const tree = await saveDirectory(this.#root)
    return { tree, dirCount }
  }

  async #complete(leaf: Leaf, content: Promise<FileContent>): Promise<void> {
    try {
      const { ids, sizeBytes } = await content
      if (leaf.node) leaf.node = { ...leaf.node, content: ids, size: sizeBytes }
      leaf.content = undefined
      if (leaf.links === 0) finish(leaf)
    } catch (error) {
      // Heard again by `save`, if the backup gets that far.
      this.#failure ??= { error }
    }
  }

  async #render(name: Buffer, child: Leaf | Link): Promise<string> {
    const leaf = 'leaf' in child ? child.leaf : child
    await leaf.content
    if (this.#failure) throw this.#failure.error
    if (leaf.json !== undefined) return leaf.json
    if (!leaf.node) throw new Error('a leaf has neither node nor text')
    const linked = leaf.links > 0 ? { inode: leaf.inode, deviceId: 1n, links: leaf.links + 1 } : {}
    return renderNode({ ...leaf.node, name, ...linked })
  }

  #directoryAt(path: readonly Buffer[]): Directory {
    let at = this.#root
    for (const name of path) {
      const key = name.toString('latin1')
      const child = at.children.get(key)
      const next = child instanceof Directory ? child : new Directory(this.#impliedDraft())
      if (next !== child) at.children.set(key, next)
      at = next
    }
    return at
  }

  #find(path: readonly Buffer[]): Leaf | undefined {
    let at: Directory = this.#root
    for (const [depth, name] of path.entries()) {
      const child = at.children.get(name.toString('latin1'))
      if (!child) return undefined
      if (!(child instanceof Directory)) return depth < path.length - 1 ? undefined : 'leaf' in child ? child.leaf : child
      at = child
    }
    return undefined
  }

  /** A directory that only stands in the paths of others. */
  #impliedDraft(): NodeDraft {
    const time = this.#time
    return { type: 'dir', mode: goModeOf('dir', 0o755), mtime: time, atime: time, ctime: time, uid: 0, gid: 0 }
  }
}

function finish(leaf: Leaf): void {
  if (!leaf.node) return
  leaf.json = renderNode(leaf.node)
  leaf.node = undefined
}
