import type { Signature } from './call.ts'
import type { Located, Operand as Node } from './nodes.ts'
import type { Operand } from './operand.ts'

/** The value that a pipe hands to its next command; `none` stands for the absence of one, as against a nil. */
export const none = Object.freeze({ none: true as const })
export type Piped = Operand | typeof none

/** How a function is called from the tree: what it is named, where a failure points, its arguments yet unevaluated. */
export interface CallSite {
  readonly name: string
  readonly node: Located
  /** Without the function itself. */
  readonly args: readonly Node[]
  readonly piped: Piped
}

/** Evaluates the arguments of a site against a signature and calls. */
export type Caller = (signature: Signature, site: CallSite, call: (args: readonly Operand[]) => Operand) => Operand
