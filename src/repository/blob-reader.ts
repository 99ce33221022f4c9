import { Semaphore } from '../base/semaphore.ts'
import type { RepositoryContext } from './context.ts'
import { repositoryError } from './errors.ts'
import { packKey } from './files.ts'
import { openBlob } from './format/blob.ts'
import { type Id, shortId } from './format/ids.ts'
import type { TreeNode } from './format/node.ts'
import { type BlobType, rawLength } from './format/pack-header.ts'
import { parseTree } from './format/tree.ts'
import { release } from './format/zstd.ts'
import { OpenPool } from './pipeline/open-pool.ts'
import { type ReadRun, type WantedBlob, planReads } from './read-plan.ts'

/** Blobs are fetched in batches; two are under way while a third is given out. So at most about 32 MB of raw bytes wait. */
const batchBytes = 8 << 20
const batchBlobs = 2048
const batchesAhead = 2
const requestsAtOnce = 6
/** Packs of trees kept whole: trees of one directory lie together. */
const cachedPacks = 2
const cachedPackBytes = 24 << 20

/** Reads blobs and checks each before it is given to anyone. */
export class BlobReader {
  readonly #context: RepositoryContext
  readonly #signal: AbortSignal
  readonly #pool: OpenPool
  readonly #requests = new Semaphore(requestsAtOnce)
  readonly #treePacks = new Map<Id, Promise<Uint8Array | undefined>>()

  constructor(context: RepositoryContext, signal: AbortSignal) {
    this.#context = context
    this.#signal = signal
    this.#pool = new OpenPool(context.sealer, context.threads.open)
  }

  async close(): Promise<void> {
    await this.#pool.stop()
  }

  async tree(id: Id): Promise<TreeNode[]> {
    return parseTree(await this.treeBytes(id), `tree ${shortId(id)}`)
  }

  /**
   * Raw data blobs in the order of `ids`, read ahead. Whoever gets them must not write into them: a repeated id may come as the same bytes. Lent ones
   * are gone when the next is asked for: freed by hand they cost nothing, where the collector needed a quarter of the CPU time of a restore.
   */
  async *data(ids: Iterable<Id> | AsyncIterable<Id>, { lend = false } = {}): AsyncGenerator<Uint8Array> {
    const batches = this.#batches(ids)
    const ahead: Array<ReadonlyArray<Promise<Uint8Array>>> = []
    try {
      for (;;) {
        while (ahead.length <= batchesAhead) {
          const { done, value } = await batches.next()
          if (done) break
          ahead.push(this.#fetch(value))
        }
        const batch = ahead.shift()
        if (!batch) return
        for (const [at, blob] of batch.entries()) {
          const bytes = await blob
          this.#signal.throwIfAborted()
          yield bytes
          // A repeated id of one batch is one promise.
          if (lend && batch.indexOf(blob, at + 1) < 0) release(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
        }
      }
    } finally {
      await batches.return(undefined)
    }
  }

  async *#batches(ids: Iterable<Id> | AsyncIterable<Id>): AsyncGenerator<WantedBlob[], void, void> {
    let batch: WantedBlob[] = []
    let bytes = 0
    for await (const id of ids) {
      const blob = this.#locate('data', id)
      batch.push(blob)
      bytes += rawLength(blob)
      if (bytes < batchBytes && batch.length < batchBlobs) continue
      yield batch
      batch = []
      bytes = 0
    }
    if (batch.length > 0) yield batch
  }

  #locate(type: BlobType, id: Id): WantedBlob {
    const location = this.#context.index.find(type, id)
    if (!location)
      throw repositoryError('REPOSITORY_DAMAGED', `${type} blob ${id} is in no index; what refers to it cannot be restored`)
    return { ...location, id }
  }

  #fetch(batch: readonly WantedBlob[]): ReadonlyArray<Promise<Uint8Array>> {
    const found = new Map<Id, Promise<Uint8Array>>()
    for (const run of planReads(batch)) {
      const opened = this.#open(run)
      for (const [at, blob] of run.blobs.entries()) {
        // Every blob asked for is in the answer.
        const one = opened.then((blobs) => blobs[at] as Uint8Array)
        // Whoever leaves early does not wait for the rest.
        one.catch(() => undefined)
        found.set(blob.id, one)
      }
    }
    // Every blob of the batch is in one run.
    return batch.map((blob) => found.get(blob.id) as Promise<Uint8Array>)
  }

  async #open({ pack, offset, length, blobs }: ReadRun): Promise<readonly Uint8Array[]> {
    const bytes = await this.#requests.run(
      () => this.#context.store.get(packKey(pack), { offset, length, limitBytes: length, signal: this.#signal }),
      this.#signal,
    )
    if (bytes.length !== length)
      throw repositoryError('REPOSITORY_DAMAGED', `pack ${shortId(pack)} is shorter than its index says`)
    const wanted = blobs.map(({ id, offset: at, ...blob }) => ({
      id,
      offset: at - offset,
      length: blob.length,
      uncompressedLength: blob.uncompressedLength,
    }))
    return this.#pool.open(bytes, wanted)
  }

  /** A tree as it was written. */
  async treeBytes(id: Id): Promise<Buffer> {
    const blob = this.#locate('tree', id)
    const { pack, offset, length } = blob
    const whole = await this.#treePack(pack)
    const sealed = whole
      ? whole.subarray(offset, offset + length)
      : await this.#context.store.get(packKey(pack), { offset, length, limitBytes: length, signal: this.#signal })
    return openBlob(this.#context.sealer, sealed, blob)
  }

  /** The pack, or undefined where it is too large to keep. */
  #treePack(pack: Id): Promise<Uint8Array | undefined> {
    const known = this.#treePacks.get(pack)
    if (known) return known
    const fetched = this.#fetchTreePack(pack)
    fetched.catch(() => this.#treePacks.delete(pack))
    this.#treePacks.set(pack, fetched)
    const [oldest] = this.#treePacks.keys()
    if (this.#treePacks.size > cachedPacks && oldest !== undefined) this.#treePacks.delete(oldest)
    return fetched
  }

  async #fetchTreePack(pack: Id): Promise<Uint8Array | undefined> {
    const { store } = this.#context
    const head = await store.head(packKey(pack), { signal: this.#signal })
    if (!head) throw repositoryError('REPOSITORY_DAMAGED', `pack ${pack} is in an index but not in ${store.description}`)
    if (head.sizeBytes > cachedPackBytes) return undefined
    return store.get(packKey(pack), { limitBytes: cachedPackBytes, signal: this.#signal })
  }
}
