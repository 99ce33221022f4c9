/**
 * Keeps what was made of texts, and drops what was not used for long. Bounded by entries and by length of the texts.
 *
 * In two generations: what is used stands in the young one; when that is half full it becomes the old one, whose rest is dropped. A
 * list in the order of use would be changed by each look-up, which took longer than a small template takes to render.
 */
export class TemplateCache<T> {
  #young = new Map<string, T>()
  #old = new Map<string, T>()
  readonly #maxEntries: number
  readonly #maxLength: number
  #youngLength = 0

  constructor(maxEntries = 2_000, maxLength = 8 * 1024 * 1024) {
    this.#maxEntries = maxEntries
    this.#maxLength = maxLength
  }

  /** What was made of `key`, or what `make` makes of it now. A failure is not kept. */
  get(key: string, make: () => T): T {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const made = this.#old.get(key) ?? make()
    this.#young.set(key, made)
    this.#youngLength += key.length
    if (this.#young.size > this.#maxEntries / 2 || this.#youngLength > this.#maxLength / 2) this.#age()
    return made
  }

  #age(): void {
    // A single giant would only push out the others.
    this.#old = this.#youngLength > this.#maxLength ? new Map() : this.#young
    this.#young = new Map()
    this.#youngLength = 0
  }
}
