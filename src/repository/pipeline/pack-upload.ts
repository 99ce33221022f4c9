import type { ObjectStore } from '../../store/object-store.ts'
import { packKey } from '../files.ts'
import type { HeaderedPack } from '../format/index-file.ts'
import type { Progress } from './progress.ts'
import type { ReadyPack } from './seal-pool.ts'

/** A pack that is in the store. */
export interface StoredPack extends HeaderedPack {
  readonly sizeBytes: number
}

/** Puts finished packs into the store. How many are under way is bounded by the buffers of the sealing threads. */
export class PackUpload {
  readonly #store: ObjectStore
  readonly #progress: Progress
  readonly #signal: AbortSignal
  readonly #onStored: (pack: StoredPack) => void
  readonly #running = new Set<Promise<void>>()

  constructor(store: ObjectStore, progress: Progress, signal: AbortSignal, onStored: (pack: StoredPack) => void) {
    this.#store = store
    this.#progress = progress
    this.#signal = signal
    this.#onStored = onStored
  }

  start(pack: ReadyPack, giveBack: () => void): void {
    const upload = this.#put(pack)
      .then(giveBack)
      .catch((error: unknown) => this.#progress.fail(error))
      .finally(() => {
        this.#running.delete(upload)
        this.#progress.notify()
      })
    this.#running.add(upload)
  }

  async drain(): Promise<void> {
    await this.#progress.until(() => this.#running.size === 0)
  }

  /** Resolves when no put is under way, however they ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#running)
  }

  async #put({ id, buffer, sizeBytes, header }: ReadyPack): Promise<void> {
    // The id is the hash that a signed request needs, so signing costs nothing.
    await this.#store.put(packKey(id), new Uint8Array(buffer, 0, sizeBytes), { sha256: id, signal: this.#signal })
    this.#onStored({ id, sizeBytes, header })
  }
}
