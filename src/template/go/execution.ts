import { templateError } from '../errors.ts'
import type { FunctionLibrary, TemplateHost } from '../functions/define.ts'
import { describeNode, type Located } from './nodes.ts'
import type { Operand } from './operand.ts'
import type { ParsedTemplate } from './parser.ts'
import { quote } from './quote.ts'

/** Bounds of one rendering, so that a template can neither hang nor fill the process. */
export interface TemplateLimits {
  /** Nodes walked, commands evaluated and iterations made. @default 1_000_000 */
  readonly steps: number
  /** Characters of output. @default 16 Mi */
  readonly outputLength: number
  /** Blocks and called templates inside of each other. @default 500 */
  readonly depth: number
}

export const defaultLimits: TemplateLimits = Object.freeze({ steps: 1_000_000, outputLength: 16 * 1024 * 1024, depth: 500 })

/** What a field of a map that has no such key gives: Go's option `missingkey`. */
export type MissingKey = 'error' | 'zero' | 'default'

export interface ExecutionOptions {
  readonly library: FunctionLibrary
  readonly host: TemplateHost
  readonly missingKey: MissingKey
  readonly limits: TemplateLimits
}

interface Variable {
  readonly name: string
  value: Operand
}

/** The state of one rendering: output, variables, and the node at work, which failures point at. */
export class Execution {
  readonly options: ExecutionOptions
  readonly template: ParsedTemplate
  /** Name of the tree at work: of the text itself or of a definition. */
  treeName: string
  node: Located | undefined
  variables: Variable[]
  #output = ''
  #stepsLeft: number
  #depth = 0

  constructor(template: ParsedTemplate, options: ExecutionOptions, root: Operand) {
    this.template = template
    this.options = options
    this.treeName = template.name
    this.variables = [{ name: '$', value: root }]
    this.#stepsLeft = options.limits.steps
  }

  get output(): string {
    return this.#output
  }

  write(text: string): void {
    const most = this.options.limits.outputLength
    if (this.#output.length + text.length > most) throw this.#tooMuch(`the output is longer than ${most} characters`)
    this.#output += text
  }

  step(): void {
    this.charge(1)
  }

  /** Steps that are still allowed. */
  get stepsLeft(): number {
    return this.#stepsLeft
  }

  /** Counts work of this many steps. */
  charge(steps: number): void {
    this.#stepsLeft -= steps
    if (this.#stepsLeft < 0) throw this.#tooMuch(`more than ${this.options.limits.steps} steps`)
  }

  /** Runs one level deeper. */
  nested<T>(work: () => T): T {
    const most = this.options.limits.depth
    if (this.#depth >= most) throw this.#tooMuch(`more than ${most} levels of blocks and templates inside of each other`)
    this.#depth++
    try {
      return work()
    } finally {
      this.#depth--
    }
  }

  at(node: Located): void {
    this.node = node
  }

  push(name: string, value: Operand): void {
    this.variables.push({ name, value })
  }

  getVariable(name: string): Operand {
    return this.#find(name).value
  }

  setVariable(name: string, value: Operand): void {
    this.#find(name).value = value
  }

  #find(name: string): Variable {
    const found = this.variables.findLast((variable) => variable.name === name)
    if (!found) throw this.error(`undefined variable: ${name}`)
    return found
  }

  /** A failure at the node at work, in Go's words. */
  error(reason: string, cause?: unknown): Error {
    return templateError('TEMPLATE_EXEC', this.#located(reason), {
      ...(cause === undefined ? {} : { cause }),
      details: this.#position(),
    })
  }

  /** A key that a map does not have: first in Kanister's words, then where. */
  missingKey(key: string): Error {
    const { line, column } = this.#position()
    const node = this.node ? ` at <${describeNode(this.node)}>` : ''
    const text = `Failed to render template: ${quote(key)} not found (${this.template.name}:${line}:${column}${node})`
    return templateError('TEMPLATE_UNKNOWN_VARIABLE', text, { details: { line, column, key } })
  }

  #tooMuch(reason: string): Error {
    return templateError('TEMPLATE_LIMIT', this.#located(reason), { details: this.#position() })
  }

  #located(reason: string): string {
    const { name } = this.template
    if (!this.node) return `template: ${this.treeName}: ${reason}`
    const { line, column } = this.#position()
    const context = describeNode(this.node)
    return `template: ${name}:${line}:${column}: executing ${quote(this.treeName)} at <${context}>: ${reason}`
  }

  /** Line from 1, column from 0 in bytes, as Go counts. */
  #position(): { line: number; column: number } {
    const before = this.template.source.slice(0, this.node?.at ?? 0)
    const lineStart = before.lastIndexOf('\n') + 1
    return { line: before.split('\n').length, column: Buffer.byteLength(before.slice(lineStart)) }
  }
}
