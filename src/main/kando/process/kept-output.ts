import { type FileHandle, open, rm } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { releaseChunk } from '../../../base/release-chunk.ts'
import { orAborted } from '../../../base/or-aborted.ts'

/** Of one piece of output that is given out. */
const pieceBytes = 64 << 10

/**
 * What a command prints, kept in a file for its user alone, so that any number of readers may follow it from the start, each at its own
 * pace, without memory that grows.
 */
export class KeptOutput {
  readonly #path: string
  readonly #file: FileHandle
  #length = 0
  #ended = false
  #failure: unknown
  #news = Promise.withResolvers<void>()

  private constructor(path: string, file: FileHandle) {
    this.#path = path
    this.#file = file
  }

  static async open(path: string): Promise<KeptOutput> {
    return new KeptOutput(path, await open(path, 'wx', 0o600))
  }

  /**
   * Keeps all of the stream, which has its end for readers when `ended` is settled too: who has read to the end asks how the command ended, and
   * its pipes close a moment before that is known. Where that fails (a full disk) the rest of it is dropped, and readers are told at that place. */
  async keep(stream: Readable, ended: Promise<void>, onChunk: (chunk: Buffer) => void): Promise<void> {
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        onChunk(chunk)
        if (this.#failure === undefined) await this.#append(chunk)
      }
    } finally {
      await ended
      this.#ended = true
      this.#tell()
      await this.#file.close()
    }
  }

  /** From its first byte on, as it comes, until its end; never cut within a character of UTF-8. */
  async *follow(signal: AbortSignal): AsyncGenerator<Buffer> {
    await using file = await open(this.#path, 'r')
    let at = 0
    for (;;) {
      const { promise } = this.#news
      const [length, last] = [this.#length, this.#ended || this.#failure !== undefined]
      while (at < length) {
        const piece = await readPiece(file, at, length)
        const whole = last && at + piece.length === length ? piece.length : wholeCharacters(piece)
        if (whole === 0) break
        yield piece.subarray(0, whole)
        at += whole
      }
      if (this.#failure !== undefined && at >= this.#length) throw this.#failure
      if (last && at >= this.#length) return
      if (length === this.#length && !last) await orAborted(promise, signal)
      signal.throwIfAborted()
    }
  }

  /** Readers that are at it read on. */
  async remove(): Promise<void> {
    await rm(this.#path, { force: true })
  }

  /** Instead of `keep`. */
  async discard(): Promise<void> {
    await this.#file.close()
    await this.remove()
  }

  async #append(chunk: Buffer): Promise<void> {
    try {
      await this.#file.appendFile(chunk)
      this.#length += chunk.length
      releaseChunk(chunk)
    } catch (error) {
      this.#failure = error
    }
    this.#tell()
  }

  #tell(): void {
    this.#news.resolve()
    this.#news = Promise.withResolvers<void>()
  }
}

async function readPiece(file: FileHandle, at: number, end: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(pieceBytes, end - at))
  const { bytesRead } = await file.read(buffer, 0, buffer.length, at)
  if (bytesRead === 0) throw new Error('the kept output was cut off by another process')
  return buffer.subarray(0, bytesRead)
}

/** How many of the bytes are whole characters: all, but for a character at the end whose rest has not come. */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0
    const needs = byte >= 0xf0 && byte < 0xf8 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : byte >= 0x80 ? 0 : 1
    if (needs === 0) continue
    return needs > back && byte < 0xf8 ? bytes.length - back : bytes.length
  }
  return bytes.length
}
