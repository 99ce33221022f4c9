import { StringDecoder } from 'node:string_decoder'

/** Beyond this a line is handed on in pieces, so that memory stays bounded whatever a command prints. */
export const maxLineBytes = 4 << 20

/**
 * Bytes to lines, independent of how the bytes were cut. LF ends a line, a CR before it is dropped. Text after the last
 * LF comes with `end()`. Not UTF-8: replaced by U+FFFD.
 */
export class LineSplitter {
  readonly #onLine: (line: string, whole: boolean) => void
  readonly #maxBytes: number
  readonly #decoder = new StringDecoder('utf8')
  #parts: string[] = []
  #size = 0

  /** `whole` is false for a piece of an over-long line that goes on. */
  constructor(onLine: (line: string, whole: boolean) => void, maxBytes: number = maxLineBytes) {
    this.#onLine = onLine
    this.#maxBytes = maxBytes
  }

  push(bytes: Buffer): void {
    const text = this.#decoder.write(bytes)
    let start = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      this.#add(text.slice(start, end))
      this.#flush(true)
      start = end + 1
    }
    this.#add(start === 0 ? text : text.slice(start))
  }

  end(): void {
    this.#add(this.#decoder.end())
    if (this.#size > 0) this.#flush(true)
  }

  #add(text: string): void {
    if (text === '') return
    this.#parts.push(text)
    this.#size += text.length
    if (this.#size >= this.#maxBytes) this.#flush(false)
  }

  #flush(whole: boolean): void {
    const line = this.#parts.join('')
    this.#parts = []
    this.#size = 0
    this.#onLine(whole && line.endsWith('\r') ? line.slice(0, -1) : line, whole)
  }
}
