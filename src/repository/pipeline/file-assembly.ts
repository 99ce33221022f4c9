import type { Id } from '../format/ids.ts'
import type { Progress } from './progress.ts'

export interface FileContent {
  readonly ids: readonly Id[]
  readonly sizeBytes: number
  readonly sha256?: string
}

/** The ids of one file as they come in, in any order. */
export class FileAssembly {
  sizeBytes = 0
  readonly content: Promise<FileContent>
  readonly #ids: Id[] = []
  #missing = 0
  #ended: { readonly sha256: string | undefined } | undefined
  #resolve: (content: FileContent) => void = () => undefined

  constructor(progress: Progress) {
    this.content = new Promise((resolve, reject) => {
      const forget = progress.onFailure(reject)
      this.#resolve = (content) => {
        forget()
        resolve(content)
      }
    })
    // Whoever wrote the file learns of the failure from `write` or `end` too, and may never ask for the content.
    this.content.catch(() => undefined)
  }

  expect(): number {
    this.#missing++
    return this.#ids.push('') - 1
  }

  fill(place: number, id: Id): void {
    this.#ids[place] = id
    this.#missing--
    this.#settle()
  }

  end(sha256: string | undefined): void {
    this.#ended = { sha256 }
    this.#settle()
  }

  #settle(): void {
    if (!this.#ended || this.#missing > 0) return
    const { sha256 } = this.#ended
    this.#resolve({ ids: this.#ids, sizeBytes: this.sizeBytes, ...(sha256 !== undefined && { sha256 }) })
  }
}
