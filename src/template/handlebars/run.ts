import type { FunctionLibrary, TemplateHost } from '../functions/define.ts'
import type { TemplateLimits } from '../go/execution.ts'
import { failure, type FailureCode } from './failure.ts'
import type { HandlebarsTree, Place } from './tree.ts'

export interface HandlebarsOptions {
  readonly library: FunctionLibrary
  readonly host: TemplateHost
  readonly limits: TemplateLimits
}

/** One rendering: its output, and its bounds. */
export class Run {
  readonly tree: HandlebarsTree
  readonly options: HandlebarsOptions
  readonly #output: string[] = []
  #length = 0
  #steps = 0
  #depth = 0

  constructor(tree: HandlebarsTree, options: HandlebarsOptions) {
    this.tree = tree
    this.options = options
  }

  get output(): string {
    return this.#output.join('')
  }

  write(text: string, place: Place): void {
    this.#length += text.length
    const most = this.options.limits.outputLength
    if (this.#length > most) throw this.error('TEMPLATE_LIMIT', place, `the output is longer than ${most} characters`)
    this.#output.push(text)
  }

  step(place: Place): void {
    this.charge(place, 1)
  }

  /** Steps that are still allowed. */
  get stepsLeft(): number {
    return this.options.limits.steps - this.#steps
  }

  /** Counts work of this many steps. */
  charge(place: Place, steps: number): void {
    const most = this.options.limits.steps
    this.#steps += steps
    if (this.#steps > most) throw this.error('TEMPLATE_LIMIT', place, `the template takes more than ${most} steps`)
  }

  /** Runs the inside of a block. */
  nested(place: Place, work: () => void): void {
    const most = this.options.limits.depth
    if (this.#depth >= most) throw this.error('TEMPLATE_LIMIT', place, `more than ${most} blocks inside of each other`)
    this.#depth++
    work()
    this.#depth--
  }

  error(code: FailureCode, place: Place, message: string, path?: string): Error {
    return failure(code, this.tree.source, place, message, path === undefined ? {} : { path })
  }
}
