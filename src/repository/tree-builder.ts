import { repositoryError } from './errors.ts'
import { type FoldedLeaves, type LeafText, findFolded, foldLeaves, pagesByName, unfoldLeaves } from './folded-leaves.ts'
import { goModeOf } from './format/file-mode.ts'
import type { Nanos } from './format/go-time.ts'
import type { Id } from './format/ids.ts'
import { type TreeNode, renderNode } from './format/node.ts'
import { joinTree, parseTree } from './format/tree.ts'
import { InFlight } from './in-flight.ts'
import type { FileContent } from './pipeline/file-assembly.ts'

/** A node before its directory is complete. */
export type NodeDraft = Omit<TreeNode, 'name' | 'content' | 'subtree'>

/** Trees on their way to the threads at once. */
const treesAtOnce = 32
/** Entries that are folded as one page. */
const pageEntries = 256
/** Directories to which the next entries most likely belong: a tar goes through them one after the other. */
const recentDirectories = 64

class Directory {
  draft: NodeDraft
  /** A name is in one of the three; what is in `leaves` came after what is in `pages`, and a directory after both. */
  readonly directories = new Map<string, Directory>()
  readonly leaves = new Map<string, Leaf | Link>()
  readonly pages: FoldedLeaves[] = []
  /** Of `leaves`, those that could be folded. */
  complete = 0
  /** The newest page of each name; made when a link first asks for one, since nobody else does. */
  #pageOf: Map<string, FoldedLeaves> | undefined

  constructor(draft: NodeDraft) {
    this.draft = draft
  }

  put(name: string, leaf: Leaf | Link): void {
    this.directories.delete(name)
    this.leaves.set(name, leaf)
  }

  /** A leaf that was folded comes back to stay. */
  find(name: string): Leaf | undefined {
    if (this.directories.has(name)) return undefined
    const there = this.leaves.get(name)
    if (there) return 'leaf' in there ? there.leaf : there
    this.#pageOf ??= pagesByName(this.pages)
    const page = this.#pageOf.get(name)
    const json = page && findFolded(page, name)
    if (json === undefined) return undefined
    const leaf: Leaf = { node: undefined, json, content: undefined, links: 0, inode: 0n }
    this.leaves.set(name, leaf)
    return leaf
  }

  /** Folds what is complete and has one name only. */
  fold(): void {
    this.complete = 0
    const texts: LeafText[] = []
    for (const [name, leaf] of this.leaves) if ('json' in leaf && leaf.json !== undefined) texts.push([name, leaf.json])
    if (texts.length === 0) return
    for (const [name] of texts) this.leaves.delete(name)
    const page = foldLeaves(texts)
    this.pages.push(page)
    if (this.#pageOf) for (const [name] of texts) this.#pageOf.set(name, page)
  }
}

/** Everything but a directory. Text as soon as it is complete, and not of several names. */
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
 * Memory grows with the number of entries, not with their bytes: some 50 bytes a file and 1 KB a directory.
 */
export class TreeBuilder {
  readonly #root: Directory
  readonly #time: Nanos
  readonly #recent = new Set<Directory>()
  #inodes = 0n
  #saving = false
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
    const directory = this.#directoryAt(path.slice(0, -1))
    this.#touch(directory)
    directory.put(name.toString('latin1'), leaf)
    if (content) void this.#complete(directory, leaf, content)
    else this.#finish(directory, leaf)
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
    const key = name.toString('latin1')
    if (parent.leaves.get(key) === found) return
    found.links++
    if (found.links === 1) found.inode = ++this.#inodes
    if (found.json !== undefined) {
      // It must be rendered anew once the number of its names is known.
      found.node = parseTree(Buffer.from(`{"nodes":[${found.json}]}`), 'a file just read')[0]
      found.json = undefined
    }
    parent.put(key, { leaf: found, name })
  }

  /** Saves all trees from the leaves up; resolves to the root's id. */
  async save(
    addTree: (bytes: Uint8Array<ArrayBuffer>) => Promise<Id>,
  ): Promise<{ readonly tree: Id; readonly dirCount: number }> {
    this.#saving = true
    const unfinished = new InFlight(treesAtOnce)
    let dirCount = -1
    // One after the other, so that few of them are unfolded at once; a directory waits for those in it.
    const saveDirectory = async (directory: Directory): Promise<{ readonly id: Promise<Id> }> => {
      // Directories within each other, thousands of them, must not add up on the stack.
      await Promise.resolve()
      const inner: Array<{ readonly name: Buffer; readonly draft: NodeDraft; readonly id: Promise<Id> }> = []
      for (const [key, child] of directory.directories) {
        const { id } = await saveDirectory(child)
        inner.push({ name: Buffer.from(key, 'latin1'), draft: child.draft, id })
      }
      directory.directories.clear()
      dirCount++
      const id = this.#saveTree(directory, inner, addTree)
      await unfinished.add(id)
      return { id }
    }
    const { id } = await saveDirectory(this.#root)
    return { tree: await id, dirCount }
  }

  async #saveTree(
    directory: Directory,
    inner: ReadonlyArray<{ readonly name: Buffer; readonly draft: NodeDraft; readonly id: Promise<Id> }>,
    addTree: (bytes: Uint8Array<ArrayBuffer>) => Promise<Id>,
  ): Promise<Id> {
    const entries = new Map<string, { readonly name: Buffer; readonly json: string }>()
    const subtrees = await Promise.all(inner.map(async ({ id }) => id))
    for (const [name, json] of directory.pages.flatMap(unfoldLeaves))
      entries.set(name, { name: Buffer.from(name, 'latin1'), json })
    for (const [key, leaf] of directory.leaves) {
      const name = Buffer.from(key, 'latin1')
      entries.set(key, { name, json: await this.#render(name, leaf) })
    }
    for (const [at, { name, draft }] of inner.entries())
      entries.set(name.toString('latin1'), { name, json: renderNode({ ...draft, name, content: null, subtree: subtrees[at] }) })
    directory.leaves.clear()
    directory.pages.length = 0
    return addTree(joinTree([...entries.values()]))
  }

  async #complete(directory: Directory, leaf: Leaf, content: Promise<FileContent>): Promise<void> {
    try {
      const { ids, sizeBytes } = await content
      if (leaf.node) leaf.node = { ...leaf.node, content: ids, size: sizeBytes }
      leaf.content = undefined
      if (leaf.links === 0) this.#finish(directory, leaf)
    } catch (error) {
      // Heard again by `save`, if the backup gets that far.
      this.#failure ??= { error }
    }
  }

  #finish(directory: Directory, leaf: Leaf): void {
    if (!leaf.node) return
    leaf.json = renderNode(leaf.node)
    leaf.node = undefined
    directory.complete++
    // `save` has read the pages of a directory when it waits for the content of its leaves.
    if (this.#saving) return
    if (directory.complete >= pageEntries || !this.#recent.has(directory)) directory.fold()
  }

  #touch(directory: Directory): void {
    this.#recent.delete(directory)
    this.#recent.add(directory)
    const [oldest] = this.#recent
    if (this.#recent.size <= recentDirectories || !oldest) return
    this.#recent.delete(oldest)
    oldest.fold()
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
      let next = at.directories.get(key)
      if (!next) {
        next = new Directory(this.#impliedDraft())
        at.leaves.delete(key)
        at.directories.set(key, next)
      }
      at = next
    }
    return at
  }

  #find(path: readonly Buffer[]): Leaf | undefined {
    let at: Directory | undefined = this.#root
    for (const name of path.slice(0, -1)) at = at?.directories.get(name.toString('latin1'))
    return at?.find(path.at(-1)?.toString('latin1') ?? '')
  }

  /** A directory that only stands in the paths of others. */
  #impliedDraft(): NodeDraft {
    const time = this.#time
    return { type: 'dir', mode: goModeOf('dir', 0o755), mtime: time, atime: time, ctime: time, uid: 0, gid: 0 }
  }
}
