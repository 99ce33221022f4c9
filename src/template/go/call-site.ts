import type { Signature } from './call.ts'
import type { Execution } from './execution.ts'
import type { Located, Operand as Node } from './nodes.ts'
import type { Operand } from './operand.ts'

/** The value that a pipe hands to its next command (which may be nothing, as against the absence of a pipe). */
export type Piped = { readonly value: Operand } | undefined

/** How a function is called from the tree: what it is named, where a failure points, its arguments yet unevaluated. */
export interface CallSite {
  readonly name: string
  readonly node: Located
  /** Without the function itself. */
  readonly args: readonly Node[]
  readonly piped: Piped
}

/** Evaluates the arguments of a site, over `dot`, against a signature and calls. */
export type Caller = (
  execution: Execution,
  dot: Operand,
  signature: Signature,
  site: CallSite,
  call: (args: readonly Operand[]) => Operand,
) => Operand
