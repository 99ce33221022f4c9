/** Keeps what was made of texts, the least recently used going first. Bounded by entries and by length of the texts. */
export class TemplateCache<T> {
  readonly #entries = new Map<string, T>()
  readonly #maxEntries: number
  readonly #maxLength: number
  #length = 0

  constructor(maxEntries = 2_000, maxLength = 8 * 1024 * 1024) {
    this.#maxEntries = maxEntries
    this.#maxLength = maxLength
  }

  /** What was made of `key`, or what `make` makes of it now. A failure is not kept. */
  get(key: string, make: () => T): T {
    const found = this.#entries.get(key)
    if (found !== undefined) {
      this.#entries.delete(key)
      this.#entries.set(key, found)
      return found
    }
    const made = make()
    this.#entries.set(key, made)
    this.#length += key.length
    this.#shrink()
    return made
  }

  #shrink(): void {
    for (const key of this.#entries.keys()) {
      if (this.#entries.size <= this.#maxEntries && this.#length <= this.#maxLength) return
      this.#entries.delete(key)
      this.#length -= key.length
    }
  }
}
