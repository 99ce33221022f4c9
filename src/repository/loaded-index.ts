import { HoldfastError } from '../base/errors.ts'
import { orAborted } from '../base/or-aborted.ts'
import { collectGarbage } from './collect-garbage.ts'
import { BlobIndex, type BlobLocation } from './blob-index.ts'
import type { RepositoryFiles } from './files.ts'
import { type Id, shortId } from './format/ids.ts'
import { type ListedPack, parseIndex } from './format/index-file.ts'
import type { BlobType } from './format/pack-header.ts'
import { release } from './format/zstd.ts'
import { loadMarks } from './marks.ts'

/** A sweep may put other index files in the place of those listed; each time round is one sweep. */
const mostTries = 5

/** Of one blob in a compressed index, at most: 32 are its id. A guess that is too low only costs what growing costs. */
const listedBytes = 56
/** Index files of so much leave 20 MiB of texts and objects in V8. */
const muchBytes = 4 << 20

/** The index files of a repository as one index in memory. */
export class LoadedIndex {
  readonly #files: RepositoryFiles
  #blobs = new BlobIndex()
  #markedBlobs = new BlobIndex()
  #marked: ReadonlySet<Id> = new Set()
  #loaded = new Set<Id>()
  #refreshed: Promise<unknown> = Promise.resolve()

  constructor(files: RepositoryFiles) {
    this.#files = files
  }

  /** What backups may build upon: the blobs of all packs but the marked ones, which may go while they run. */
  get blobs(): BlobIndex {
    return this.#blobs
  }

  /** Blobs of marked packs: for whoever reads, where there is no other copy. */
  get markedBlobs(): BlobIndex {
    return this.#markedBlobs
  }

  /** Packs that a prune in steps may remove. */
  get markedPacks(): ReadonlySet<Id> {
    return this.#marked
  }

  /** The files that were read. */
  get fileIds(): readonly Id[] {
    return [...this.#loaded]
  }

  /** Where to read a blob. */
  find(type: BlobType, id: Id): BlobLocation | undefined {
    return this.#blobs.find(type, id) ?? this.#markedBlobs.find(type, id)
  }

  /**
   * Reads index files that are new. If one that was read is gone, or packs were marked since, everything is read anew. To be called under a lock, or
   * a prune may run between this and the work.
   */
  async refresh(signal?: AbortSignal): Promise<void> {
    const before = this.#refreshed
    const own = this.#refreshAfter(before, signal)
    this.#refreshed = Promise.allSettled([before, own]).then(() => undefined)
    await own
  }

  /** One after the other: of two at once the one that began earlier could end later, and put in place what it read before packs were marked. */
  async #refreshAfter(before: Promise<unknown>, signal?: AbortSignal): Promise<void> {
    await (signal ? orAborted(before, signal) : before)
    for (let tries = 1; ; tries++) {
      try {
        return await this.#refreshOnce(signal)
      } catch (error) {
        if (!(error instanceof HoldfastError) || error.code !== 'STORE_NOT_FOUND' || tries >= mostTries) throw error
      }
    }
  }

  async #refreshOnce(signal?: AbortSignal): Promise<void> {
    const marked = new Set((await loadMarks(this.#files, signal)).flatMap(({ packs }) => packs))
    const present = await this.#files.list('index', signal)
    const anew =
      this.#loaded.difference(new Set(present.map(({ id }) => id))).size > 0 ||
      marked.symmetricDifference(this.#marked).size > 0
    const blobs = anew ? new BlobIndex() : this.#blobs
    const markedBlobs = anew ? new BlobIndex() : this.#markedBlobs
    const loaded = anew ? new Set<Id>() : new Set(this.#loaded)
    const unread = present.filter(({ id }) => !loaded.has(id))
    const unreadBytes = unread.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    blobs.reserve(Math.floor(unreadBytes / listedBytes))
    await this.#files.loadAll(
      'index',
      unread.map(({ id }) => id),
      (json, id) => {
        for (const pack of parseIndex(json, `index/${shortId(id)}`)) (marked.has(pack.id) ? markedBlobs : blobs).addPack(pack)
        release(json)
        loaded.add(id)
      },
      signal,
    )
    if (unreadBytes > muchBytes) collectGarbage()
    this.#blobs = blobs
    this.#markedBlobs = markedBlobs
    this.#marked = marked
    this.#loaded = loaded
  }

  /** What this process just saved. */
  add(file: Id, packs: readonly ListedPack[]): void {
    this.#loaded.add(file)
    for (const pack of packs) (this.#marked.has(pack.id) ? this.#markedBlobs : this.#blobs).addPack(pack)
  }
}
