/** Keeps the last `limit` bytes of what passes, in bounded memory. */
export class Tail {
  readonly #limit: number
  #parts: Buffer[] = []
  #held = 0
  /** All bytes that passed. */
  total = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  push(bytes: Buffer): void {
    this.total += bytes.length
    // A copy: the chunk may be a small window into a large buffer that it would keep alive.
    const kept = Buffer.from(bytes.length > this.#limit ? bytes.subarray(bytes.length - this.#limit) : bytes)
    this.#parts.push(kept)
    this.#held += kept.length
    if (this.#held > 2 * this.#limit || this.#parts.length > 1_000) this.#compact()
  }

  /** As text; a character cut at the front is left out. */
  text(): string {
    this.#compact()
    const bytes = this.#parts[0] ?? Buffer.alloc(0)
    let start = 0
    if (this.total > bytes.length) while (start < 4 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++
    return bytes.toString('utf8', start)
  }

  #compact(): void {
    const all = Buffer.concat(this.#parts)
    this.#parts = [all.length > this.#limit ? Buffer.from(all.subarray(all.length - this.#limit)) : all]
    this.#held = this.#parts[0]?.length ?? 0
  }
}
