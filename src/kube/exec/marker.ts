/**
 * What the wrapper says before the command's output. `i` and `o` as asked; `r`: stdin goes to the command as it is; `k`, `a`, `n` and `l`
 * of commands whose result is kept in the container (kept-wrapper.ts).
 */
export interface Header {
  readonly pid: number
  readonly mode: 'o' | 'i' | 'r' | 'k' | 'a' | 'n' | 'l'
}

/** Longest text after the nonce: `+4194304a`, another nonce and `;`. */
const maxWord = 56

/**
 * Takes the wrapper's words out of a command's stdout: `<nonce>+<pid><mode>;` at its very beginning and
 * `<nonce>=<exit code>;` at its end. The nonce is random and never shown to the command, so its first appearance after
 * the header is the end. Words may be cut anywhere by frames: at most their length is held back.
 */
export class MarkerScanner {
  #nonce: Buffer
  #held: Buffer = Buffer.alloc(0)
  header: Header | undefined
  exitCode: number | undefined
  /** Bytes after the end: written by processes that the command left behind. */
  lateBytes = 0
  /** What came instead of the header: no shell of ours is talking. */
  broken = false

  constructor(nonce: string) {
    this.#nonce = Buffer.from(nonce, 'latin1')
  }

  /** For a stream that has no header of its own, such as stderr: only the end is looked for, with the nonce of the other. */
  static following(other: MarkerScanner): MarkerScanner {
    const scanner = new MarkerScanner('')
    scanner.#nonce = other.#nonce
    scanner.header = other.header
    return scanner
  }

  /** The part of the output that is surely the command's, without copying where nothing is held back. */
  push(chunk: Buffer): Buffer | undefined {
    if (this.exitCode !== undefined) {
      this.lateBytes += chunk.length
      return undefined
    }
    const bytes = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk
    this.#held = empty
    return this.header ? this.#scanBody(bytes) : this.#scanHeader(bytes)
  }

  #scanHeader(bytes: Buffer): Buffer | undefined {
    const common = Math.min(bytes.length, this.#nonce.length)
    if (bytes.compare(this.#nonce, 0, common, 0, common) !== 0) return this.#break()
    const end = bytes.indexOf(semicolon)
    if (end < 0) {
      if (bytes.length > this.#nonce.length + maxWord) return this.#break()
      this.#held = Buffer.from(bytes)
      return undefined
    }
    const match = /^\+(\d+)([oirknla])([0-9a-f]{32})?$/.exec(bytes.toString('latin1', this.#nonce.length, end))
    if (!match) return this.#break()
    this.header = { pid: Number(match[1]), mode: match[2] as Header['mode'] }
    // A record ends with the marker of the exec that made it.
    if (match[3]) this.#nonce = Buffer.from(match[3], 'latin1')
    return end + 1 < bytes.length ? this.#scanBody(bytes.subarray(end + 1)) : undefined
  }

  #scanBody(bytes: Buffer): Buffer | undefined {
    const at = bytes.indexOf(this.#nonce)
    if (at >= 0) return this.#scanEnd(bytes, at)
    const partial = this.#partialAtEnd(bytes)
    if (partial === 0) return bytes
    this.#held = Buffer.from(bytes.subarray(bytes.length - partial))
    return partial === bytes.length ? undefined : bytes.subarray(0, bytes.length - partial)
  }

  #scanEnd(bytes: Buffer, at: number): Buffer | undefined {
    const end = bytes.indexOf(semicolon, at)
    if (end >= 0) {
      const match = /^=(\d{1,3})$/.exec(bytes.toString('latin1', at + this.#nonce.length, end))
      if (!match) return this.#break()
      this.exitCode = Number(match[1])
      this.lateBytes = bytes.length - end - 1
    } else if (bytes.length - at > this.#nonce.length + maxWord) {
      return this.#break()
    } else {
      this.#held = Buffer.from(bytes.subarray(at))
    }
    return at > 0 ? bytes.subarray(0, at) : undefined
  }

  /** How many of the last bytes could be the beginning of the nonce. */
  #partialAtEnd(bytes: Buffer): number {
    for (let size = Math.min(bytes.length, this.#nonce.length - 1); size > 0; size--) {
      if (bytes[bytes.length - size] !== this.#nonce[0]) continue
      if (bytes.compare(this.#nonce, 0, size, bytes.length - size) === 0) return size
    }
    return 0
  }

  #break(): undefined {
    this.broken = true
    return undefined
  }
}

const empty = Buffer.alloc(0)
const semicolon = 0x3b
