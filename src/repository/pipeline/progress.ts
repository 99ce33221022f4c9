/** "Something moved": waiters look again at what they wait for. Once failed, every wait rejects with the first failure. */
export class Progress {
  #waiters: Array<{ readonly resolve: () => void; readonly reject: (error: unknown) => void }> = []
  #failure: { readonly error: unknown } | undefined
  readonly #failureListeners = new Set<(error: unknown) => void>()

  get failed(): boolean {
    return this.#failure !== undefined
  }

  /** Throws the failure, if there is one. */
  check(): void {
    if (this.#failure) throw this.#failure.error
  }

  notify(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const { resolve } of waiters) resolve()
  }

  fail(error: unknown): void {
    if (this.#failure) return
    this.#failure = { error }
    const waiters = this.#waiters
    this.#waiters = []
    for (const { reject } of waiters) reject(error)
    for (const listener of this.#failureListeners) listener(error)
    this.#failureListeners.clear()
  }

  /** Returns a function that forgets the listener; one that is added after the failure is called at once. */
  onFailure(listener: (error: unknown) => void): () => void {
    if (this.#failure) listener(this.#failure.error)
    else this.#failureListeners.add(listener)
    return () => void this.#failureListeners.delete(listener)
  }

  /** Resolves at the next notification. */
  next(): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure.error)
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }))
  }

  async until(condition: () => boolean): Promise<void> {
    this.check()
    while (!condition()) await this.next()
  }
}
