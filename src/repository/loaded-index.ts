import { BlobIndex } from './blob-index.ts'
import type { RepositoryFiles } from './files.ts'
import type { Id } from './format/ids.ts'
import { type IndexedPack, parseIndex } from './format/index-file.ts'

/** The index files of a repository as one index in memory. */
export class LoadedIndex {
  readonly #files: RepositoryFiles
  #blobs = new BlobIndex()
  #loaded = new Set<Id>()

  constructor(files: RepositoryFiles) {
    this.#files = files
  }

  get blobs(): BlobIndex {
    return this.#blobs
  }

  /** The files that were read. */
  get fileIds(): readonly Id[] {
    return [...this.#loaded]
  }

  /**
   * Reads index files that are new. If one that was read is gone, somebody pruned: everything is read anew, since its packs may be gone.
   * To be called under a lock, or a prune may run between this and the work.
   */
  async refresh(signal?: AbortSignal): Promise<void> {
    const present = (await this.#files.list('index', signal)).map(({ id }) => id)
    const gone = this.#loaded.difference(new Set(present)).size > 0
    const blobs = gone ? new BlobIndex() : this.#blobs
    const loaded = gone ? new Set<Id>() : new Set(this.#loaded)
    await this.#files.loadAll(
      'index',
      present.filter((id) => !loaded.has(id)),
      (json, id) => {
        for (const pack of parseIndex(json, `index/${id}`)) blobs.addPack(pack)
        loaded.add(id)
      },
      signal,
    )
    this.#blobs = blobs
    this.#loaded = loaded
  }

  /** What this process just saved. */
  add(file: Id, packs: readonly IndexedPack[]): void {
    this.#loaded.add(file)
    for (const pack of packs) this.#blobs.addPack(pack)
  }
}
