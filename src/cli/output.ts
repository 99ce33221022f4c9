/** Where a command talks: results on `out` (for the next program), everything else on `err` (for people). */
export interface Output {
  out(text: string): void
  err(text: string): void
  /** True if `err` is a terminal that can redraw a line. */
  readonly live: boolean
}
