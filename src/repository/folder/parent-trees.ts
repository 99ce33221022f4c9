import { BlobReader } from '../blob-reader.ts'
import type { RepositoryContext } from '../context.ts'
import { repositoryError } from '../errors.ts'
import type { Id } from '../format/ids.ts'
import type { TreeNode } from '../format/node.ts'

const nothing: ReadonlyMap<string, TreeNode> = new Map()

/** Directories of the snapshot before, by the names in them as Latin-1. A tree that is damaged counts as empty: its files are read again. */
export class ParentTrees {
  readonly #reader: BlobReader

  constructor(context: RepositoryContext, signal: AbortSignal) {
    this.#reader = new BlobReader(context, signal)
  }

  async nodes(tree: Id | undefined): Promise<ReadonlyMap<string, TreeNode>> {
    if (tree === undefined) return nothing
    try {
      return new Map((await this.#reader.tree(tree)).map((node) => [node.name.toString('latin1'), node]))
    } catch (error) {
      if (!repositoryError.is(error)) throw error
      return nothing
    }
  }

  async close(): Promise<void> {
    await this.#reader.close()
  }
}
