import type { RepositoryContext } from './context.ts'
import { type ListedPack, blobCountOf, renderIndex } from './format/index-file.ts'

const maxBlobs = 50_000
const maxAgeMs = 10 * 60_000

/**
 * Lists packs that are in the store in index files: whenever 50,000 blobs have gathered or 10 minutes have passed, and at the end. So a backup
 * that breaks off after hours has left an index of most of what it sent, and the next one need not send that again.
 */
export class IndexWriter {
  readonly #context: RepositoryContext
  readonly #signal: AbortSignal
  readonly #remembers: boolean
  #packs: ListedPack[] = []
  #blobs = 0
  #since: number
  #saving: Promise<void> = Promise.resolve()
  #failure: { readonly error: unknown } | undefined

  /**
   * `remember`: what was listed counts as known to this process at once. Without it that comes with the next reading of the index, and 69 to 139 bytes a
   * blob are spared until then.
   */
  constructor(context: RepositoryContext, signal: AbortSignal, { remember = true }: { readonly remember?: boolean } = {}) {
    this.#context = context
    this.#remembers = remember
    this.#signal = signal
    this.#since = context.clock.now()
  }

  add(pack: ListedPack): void {
    this.#packs.push(pack)
    this.#blobs += blobCountOf(pack)
    if (this.#blobs < maxBlobs && this.#context.clock.now() - this.#since < maxAgeMs) return
    this.#saving = this.#save(this.#saving).catch((error: unknown) => {
      this.#failure ??= { error }
    })
  }

  /** Resolves when every pack added is listed in the store. */
  async flush(): Promise<void> {
    await this.#save(this.#saving)
    if (this.#failure) throw this.#failure.error
  }

  /** Resolves when no save is under way. */
  async settled(): Promise<void> {
    await this.#saving
  }

  async #save(before: Promise<void>): Promise<void> {
    const packs = this.#packs
    this.#packs = []
    this.#blobs = 0
    this.#since = this.#context.clock.now()
    await before
    if (packs.length === 0 || this.#failure) return
    const id = await this.#context.files.save('index', renderIndex(packs), this.#signal)
    if (this.#remembers) this.#context.index.add(id, packs)
  }
}
