import type { BlobIndex } from '../blob-index.ts'
import type { RepositoryConfig } from '../format/config-file.ts'
import { type Id, idBytes } from '../format/ids.ts'
import type { Sealer } from '../format/seal.ts'
import { collectGarbage } from '../collect-garbage.ts'
import { compileChunker, createChunkerMemory, minChunkBytes, tableBytes } from '../kernel/chunker.ts'
import type { ObjectStore } from '../../store/object-store.ts'
import { CutClient } from './cut-client.ts'
import { FileAssembly, type FileContent } from './file-assembly.ts'
import type { CutReport, SealResult } from './messages.ts'
import { PackUpload, type StoredPack } from './pack-upload.ts'
import { Progress } from './progress.ts'
import { ChunkRing } from './ring.ts'
import { SealPool } from './seal-pool.ts'

export interface PipelineOptions {
  readonly store: ObjectStore
  readonly config: RepositoryConfig
  readonly sealer: Sealer
  readonly index: BlobIndex
  readonly threads: number
  readonly verifyBlobs: boolean
  /** Ends everything, also uploads under way. */
  readonly signal: AbortSignal
  readonly onStored: (pack: StoredPack) => void
  /** Called once, with the first failure, so that whoever waits for input need not wait for more of it. */
  readonly onFailure: (error: unknown) => void
}

/** Writes bytes to the beginning of `room` and says how many; 0 at the end. */
export type ReadInto = (room: Uint8Array) => Promise<number>

export interface PipelineFile {
  /** Resolves when the bytes are taken over; that may wait for the store. */
  write(bytes: Uint8Array): Promise<void>
  /** Lets bytes be written where they will lie, without a copy. Resolves to their number as `read` gave it; 0: there are no more. */
  fill(read: ReadInto): Promise<number>
  /** No more bytes. The next file may be opened. */
  end(): Promise<void>
  /** Resolves after `end`, when the last id is known. */
  readonly content: Promise<FileContent>
}

/** What was new to the repository. */
export interface Added {
  dataBlobs: number
  treeBlobs: number
  bytes: number
  packedBytes: number
}

/** Three of the longest chunks; with 32 MiB it was no faster. */
const ringBytes = 24 << 20
/** Enough while there are small files only. */
const smallRingBytes = 8 << 20
/** The cutting thread hears of input in steps of this: small enough to keep it busy, large enough for its four lanes. */
const fillStepBytes = 512 << 10
/** So much waiting to be sealed means that sealing is what holds things up. */
const behindBytes = 8 << 20
/** Of chunks on their way: enough to keep sealing busy with tiny files. With eight times as many 200,000 files took 15 % more CPU, most of it in V8's collector. */
const maxRegions = 1024

/**
 * From input to packs in the store: this thread only copies input into the ring and moves packs to the store; one thread cuts and hashes the
 * whole, up to `threads` others do the rest. Memory: the ring, five pack buffers of 17 MiB as a rule, about 10 MiB a thread,
 * and the ids. One file is open at a time; files and trees may still be on their way when the next begins.
 */
export class Pipeline {
  readonly added: Added = { dataBlobs: 0, treeBlobs: 0, bytes: 0, packedBytes: 0 }
  readonly #progress = new Progress()
  readonly #ring: ChunkRing
  readonly #cutter: CutClient
  readonly #pool: SealPool
  readonly #upload: PackUpload
  #onCut: ((report: CutReport) => void) | undefined
  #ended = false

  constructor(options: PipelineOptions) {
    const { store, config, sealer, index, threads, verifyBlobs, signal, onStored, onFailure } = options
    const memory = createChunkerMemory(config.polynomial, ringBytes)
    this.#ring = new ChunkRing(memory.buffer, tableBytes, smallRingBytes)
    this.#upload = new PackUpload(store, this.#progress, signal, onStored)
    this.#cutter = new CutClient({ role: 'cut', module: compileChunker(), memory }, this.#progress, (report) =>
      this.#onCut?.(report),
    )
    this.#pool = new SealPool({
      threads,
      sealer,
      version: config.version,
      ring: memory.buffer,
      known: index.table,
      verifyBlobs,
      progress: this.#progress,
      onPack: (pack, giveBack) => this.#upload.start(pack, giveBack),
    })
    this.#progress.onFailure(onFailure)
    const onAbort = (): void => this.#progress.fail(signal.reason)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  }

  /** `sizeBytes`, where it is known to be small, spares the cutting thread. `hash` asks for the SHA-256 of the whole. */
  openFile(options: { readonly hash?: boolean; readonly sizeBytes?: number } = {}): PipelineFile {
    const { hash = false, sizeBytes = Infinity } = options
    return !hash && sizeBytes <= minChunkBytes ? this.#openSmallFile() : this.#openLargeFile(hash)
  }

  /** A file that is one chunk or none, of at most `minChunkBytes`. Resolves when its bytes are taken over. */
  async addSmallFile(bytes: Uint8Array): Promise<Pick<PipelineFile, 'content'>> {
    const file = this.#openSmallFile()
    await file.write(bytes)
    await file.end()
    return file
  }

  /** Gives the bytes away. */
  addTree(bytes: Uint8Array<ArrayBuffer>): Promise<Id> {
    this.#progress.check()
    return new Promise((resolve, reject) => {
      const forget = this.#progress.onFailure(reject)
      this.#pool.tree(bytes, (result) => {
        forget()
        this.#count(result, true)
        resolve(result.id)
      })
    })
  }

  /** Resolves when every pack is in the store and the threads have ended, so that what comes after has the memory. */
  async finish(): Promise<void> {
    this.#pool.flush()
    await this.#progress.until(() => this.#pool.pending === 0)
    await this.#pool.finish()
    await this.#upload.drain()
    await this.#endThreads()
  }

  /** Ends the threads, if they have not ended; what is under way ends with `error`. Waits until nothing of this touches the store any more. */
  async stop(error: unknown): Promise<void> {
    this.#progress.fail(error)
    await this.#endThreads()
    await this.#upload.settled()
  }

  async #endThreads(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    await Promise.all([this.#cutter.stop(), this.#pool.stop()])
    // Ring and packs: a worker that restored after a backup had 252 MB above idle at most, and has 202.
    collectGarbage()
  }

  #openSmallFile(): PipelineFile {
    const file = new FileAssembly(this.#progress)
    return {
      content: file.content,
      write: async (bytes) => {
        await this.#copy(bytes, () => undefined)
        file.sizeBytes += bytes.length
      },
      fill: async (read) => {
        const length = await this.#fill(read, () => undefined)
        file.sizeBytes += length
        return length
      },
      end: async () => {
        await this.#progress.until(() => this.#ring.regionCount < maxRegions)
        if (this.#ring.openBytes > 0) this.#seal(this.#ring.openBytes, file)
        file.end(undefined)
      },
    }
  }

  #openLargeFile(hash: boolean): PipelineFile {
    this.#ring.extend()
    const file = new FileAssembly(this.#progress)
    let told = this.#ring.writeAt
    let ended = false
    this.#onCut = (report) => {
      for (const [at, length] of report.lengths.entries())
        this.#seal(length, file, report.ids?.subarray(at * idBytes, (at + 1) * idBytes))
      if (!report.ended) return
      ended = true
      file.end(report.sha256)
    }
    const tell = (leastBytes: number): void => {
      if (this.#ring.writeAt - told < leastBytes) return
      told = this.#ring.writeAt
      this.#cutter.send({ kind: 'filled', to: told, help: this.#pool.load > behindBytes })
    }
    const moved = (delta: number): void => {
      told += delta
      this.#cutter.send({ kind: 'moved', delta })
    }
    this.#cutter.send({ kind: 'begin', at: told, hash })
    return {
      content: file.content,
      write: async (bytes) => {
        await this.#copy(bytes, moved, tell)
        file.sizeBytes += bytes.length
      },
      fill: async (read) => {
        const length = await this.#fill(read, moved, tell)
        file.sizeBytes += length
        return length
      },
      end: async () => {
        tell(1)
        this.#cutter.send({ kind: 'end' })
        await this.#progress.until(() => ended)
      },
    }
  }

  async #copy(bytes: Uint8Array, moved: (delta: number) => void, tell?: (leastBytes: number) => void): Promise<void> {
    this.#progress.check()
    for (let at = 0; at < bytes.length;) {
      const step = bytes.length - at > fillStepBytes ? bytes.subarray(at, at + fillStepBytes) : bytes.subarray(at)
      const written = this.#ring.write(step)
      at += written
      if (written > 0) tell?.(fillStepBytes)
      else await this.#makeRoom(moved, tell)
    }
  }

  async #fill(read: ReadInto, moved: (delta: number) => void, tell?: (leastBytes: number) => void): Promise<number> {
    this.#progress.check()
    while (this.#ring.room === 0) await this.#makeRoom(moved, tell)
    const length = await read(this.#ring.space(fillStepBytes))
    this.#ring.wrote(length)
    tell?.(fillStepBytes)
    return length
  }

  async #makeRoom(moved: (delta: number) => void, tell?: (leastBytes: number) => void): Promise<void> {
    tell?.(1)
    this.#pool.flush()
    if (this.#ring.atEnd) {
      // Only when it is idle does the cutter not read what is moved, and is the open part known.
      await this.#progress.until(() => this.#cutter.idle)
      const delta = this.#ring.wrap()
      if (delta !== 0) return moved(delta)
    }
    if (this.#ring.room === 0) await this.#progress.next()
  }

  #seal(length: number, file: FileAssembly, id?: Uint8Array): void {
    const region = this.#ring.take(length)
    const place = file.expect()
    this.#pool.chunk({ offset: region.offset, length, id }, (result) => {
      this.#ring.free(region)
      this.#count(result, false)
      file.fill(place, result.id)
    })
  }

  #count({ addedBytes, addedPackedBytes }: SealResult, tree: boolean): void {
    if (addedBytes === 0) return
    if (tree) this.added.treeBlobs++
    else this.added.dataBlobs++
    this.added.bytes += addedBytes
    this.added.packedBytes += addedPackedBytes
  }
}
