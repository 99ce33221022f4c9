/** Work under way, in the order in which it began, at most so much at once. What is added may depend on what was added before it, and on nothing after. */
export class InFlight {
  readonly #work: Promise<unknown>[] = []
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  /** Waits for the oldest when there is more than that. A failure is for whoever asks for the result itself; here the oldest's is thrown, too. */
  async add(work: Promise<unknown>): Promise<void> {
    work.catch(() => undefined)
    this.#work.push(work)
    if (this.#work.length > this.#most) await this.#work.shift()
  }
}
