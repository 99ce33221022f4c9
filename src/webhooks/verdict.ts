/** What a check at admission says. */
export interface Verdict {
  /** Why the object is refused; absent when it is let in. */
  readonly refusal?: string
  /** Shown by kubectl, one line each. */
  readonly warnings: readonly string[]
}

export const letIn: Verdict = { warnings: [] }
