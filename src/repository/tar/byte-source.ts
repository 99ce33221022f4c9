import { repositoryError } from '../errors.ts'

/** Takes a stream of chunks apart into pieces of wanted length, without copying where a piece lies in one chunk. */
export class ByteSource {
  readonly #chunks: AsyncIterator<Uint8Array>
  #chunk: Uint8Array = new Uint8Array(0)
  #at = 0
  #taken = 0

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  /** Bytes given out so far. */
  get takenBytes(): number {
    return this.#taken
  }

  /** Exactly `length` bytes, valid until the next call; undefined at the end of the stream. `what` names the piece if the stream ends within it. */
  async read(length: number, what: string): Promise<Buffer | undefined> {
    if (this.#left === 0 && !(await this.#advance())) return undefined
    if (this.#left >= length) return asBuffer(this.#take(length))
    const whole = Buffer.allocUnsafe(length)
    for (let filled = 0; filled < length;) {
      if (this.#left === 0 && !(await this.#advance())) throw truncated(what, this.#taken)
      const piece = this.#take(Math.min(length - filled, this.#left))
      whole.set(piece, filled)
      filled += piece.length
    }
    return whole
  }

  /** The next piece of at most `length` bytes. */
  async next(length: number, what: string): Promise<Uint8Array> {
    if (this.#left === 0 && !(await this.#advance())) throw truncated(what, this.#taken)
    return this.#take(Math.min(length, this.#left))
  }

  async skip(length: number, what: string): Promise<void> {
    for (let left = length; left > 0;) left -= (await this.next(left, what)).length
  }

  /** Reads to the end of the stream and forgets what comes. */
  async drain(): Promise<void> {
    do this.#take(this.#left)
    while (await this.#advance())
  }

  get #left(): number {
    return this.#chunk.length - this.#at
  }

  #take(length: number): Uint8Array {
    const piece = this.#chunk.subarray(this.#at, this.#at + length)
    this.#at += length
    this.#taken += length
    return piece
  }

  async #advance(): Promise<boolean> {
    for (;;) {
      const { done, value } = await this.#chunks.next()
      if (done) return false
      if (value.length === 0) continue
      this.#chunk = value
      this.#at = 0
      return true
    }
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

function truncated(what: string, takenBytes: number): Error {
  return repositoryError('REPOSITORY_BAD_TAR', `the tar stream ends after ${takenBytes} bytes, within ${what}; it was cut off`)
}
