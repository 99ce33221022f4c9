/** Ends kando with an exit code of its own. Said on stderr only if it has a cause. */
export class KandoExit extends Error {
  override readonly name = 'KandoExit'
  readonly code: number

  constructor(code: number, options: ErrorOptions = {}) {
    super('', options)
    this.code = code
  }
}
