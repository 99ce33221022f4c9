import type { Token, TokenKind } from './lexer.ts'
import type { ChainNode, CommandNode, Operand, PipeNode, VariableNode } from './nodes.ts'
import { describeNode } from './nodes.ts'
import { LiteralError, readNumber } from './number-literal.ts'
import { quote, unquote } from './quote.ts'
import { type TokenCursor, isKeyword } from './token-cursor.ts'

/** Parses what stands inside of actions: declarations, commands, operands. */
export class PipelineParser {
  /** The names that are known here; who opens a scope cuts it back at its end. */
  readonly variables = ['$']
  readonly #cursor: TokenCursor
  readonly #knowsFunction: (name: string) => boolean

  constructor(cursor: TokenCursor, knowsFunction: (name: string) => boolean) {
    this.#cursor = cursor
    this.#knowsFunction = knowsFunction
  }

  parse(context: string, end: TokenKind): PipeNode {
    const { at } = this.#cursor.peekNonSpace()
    const { declares, assigns } = this.#declarations(context)
    const commands: CommandNode[] = []
    for (;;) {
      const token = this.#cursor.nextNonSpace()
      if (token.kind === end) break
      if (!startsOperand(token)) throw this.#cursor.unexpected(token, context)
      this.#cursor.back()
      commands.push(this.#command())
    }
    this.#checkCommands(commands, context)
    return Object.freeze({ kind: 'pipe', at, declares, assigns, commands })
  }

  #checkCommands(commands: readonly CommandNode[], context: string): void {
    if (commands.length === 0) throw this.#cursor.error(`missing value for ${context}`)
    const bad = commands.findIndex(({ args }, at) => at > 0 && isConstant(args[0]))
    if (bad > 0) throw this.#cursor.error(`non executable command in pipeline stage ${bad + 1}`)
  }

  #declarations(context: string): { declares: readonly VariableNode[]; assigns: boolean } {
    const declares: VariableNode[] = []
    for (;;) {
      const start = this.#cursor.position
      const token = this.#cursor.peekNonSpace()
      if (token.kind !== 'variable') return { declares, assigns: false }
      this.#cursor.next()
      const next = this.#cursor.peekNonSpace()
      if (next.kind === 'assign' || next.kind === 'declare') {
        this.#cursor.next()
        this.#declare(declares, token)
        return { declares, assigns: next.kind === 'assign' }
      }
      if (next.kind !== 'other' || next.text !== ',') {
        this.#cursor.rewind(start)
        return { declares, assigns: false }
      }
      this.#cursor.next()
      this.#declare(declares, token)
      this.#checkSecondVariable(context, declares.length)
    }
  }

  #declare(declares: VariableNode[], token: Token): void {
    declares.push(variable(token.at, token.text))
    this.variables.push(token.text)
  }

  #checkSecondVariable(context: string, declared: number): void {
    if (context !== 'range' || declared > 1) throw this.#cursor.error(`too many declarations in ${context}`)
    const { kind } = this.#cursor.peekNonSpace()
    if (kind !== 'variable' && kind !== 'rightDelim' && kind !== 'rightParen') {
      throw this.#cursor.error('range can only initialize variables')
    }
  }

  #command(): CommandNode {
    const { at } = this.#cursor.peekNonSpace()
    const args: Operand[] = []
    for (;;) {
      this.#cursor.peekNonSpace()
      const operand = this.#operand()
      if (operand) args.push(operand)
      const token = this.#cursor.next()
      if (token.kind === 'space') continue
      if (token.kind === 'rightDelim' || token.kind === 'rightParen') this.#cursor.back()
      else if (token.kind !== 'pipe') throw this.#cursor.unexpected(token, 'operand')
      break
    }
    const [first, ...rest] = args
    if (first === undefined) throw this.#cursor.error('empty command')
    return Object.freeze<CommandNode>({ kind: 'command', at, args: [first, ...rest], rest })
  }

  /** A term with the fields behind it. */
  #operand(): Operand | undefined {
    const term = this.#term()
    if (term === undefined || this.#cursor.peek().kind !== 'field') return term
    const { at } = this.#cursor.peek()
    const path: string[] = []
    while (this.#cursor.peek().kind === 'field') path.push(this.#cursor.next().text.slice(1))
    if (isConstant(term)) throw this.#cursor.error(`unexpected . after term ${quote(describeNode(term))}`)
    if (term.kind === 'field') return Object.freeze({ kind: 'field', at, path: [...term.path, ...path] })
    if (term.kind === 'variable') return Object.freeze({ kind: 'variable', at, path: [...term.path, ...path] as const })
    return Object.freeze<ChainNode>({ kind: 'chain', at, node: term, path })
  }

  #term(): Operand | undefined {
    const token = this.#cursor.nextNonSpace()
    const { at, text } = token
    switch (token.kind) {
      case 'identifier':
        if (!this.#knowsFunction(text)) throw this.#cursor.error(`function ${quote(text)} not defined`)
        return Object.freeze({ kind: 'identifier', at, name: text })
      case 'keyword':
        if (text === '.') return Object.freeze({ kind: 'dot', at })
        if (text === 'nil') return Object.freeze({ kind: 'nil', at })
        break
      case 'variable':
        if (!this.variables.includes(text)) throw this.#cursor.error(`undefined variable ${quote(text)}`)
        return variable(at, text)
      case 'field':
        return Object.freeze({ kind: 'field', at, path: [text.slice(1)] })
      case 'bool':
        return Object.freeze({ kind: 'bool', at, value: text === 'true' })
      case 'number':
      case 'complex':
      case 'char':
        return this.#number(token)
      case 'string':
      case 'rawString':
        return Object.freeze({ kind: 'string', at, quoted: text, text: unquoted(token, this.#cursor) })
      case 'leftParen':
        return this.#parenthesized()
    }
    this.#cursor.back()
    return undefined
  }

  #number(token: Token): Operand {
    try {
      return readNumber(token)
    } catch (error) {
      if (error instanceof LiteralError) throw this.#cursor.error(error.message)
      throw error
    }
  }

  #parenthesized(): PipeNode {
    this.#cursor.enter(() => this.#cursor.error('max expression depth exceeded'))
    const pipe = this.parse('parenthesized pipeline', 'rightParen')
    this.#cursor.leave()
    return pipe
  }
}

/** The text of a token that is a string. */
export function unquoted(token: Token, cursor: TokenCursor): string {
  const text = unquote(token.text)
  if (text === undefined) throw cursor.error('invalid syntax')
  return text
}

function variable(at: number, name: string): VariableNode {
  return Object.freeze({ kind: 'variable', at, path: [name] as const })
}

function isConstant(node: Operand): boolean {
  return ['bool', 'dot', 'nil', 'number', 'string'].includes(node.kind)
}

const operandStarts: ReadonlySet<TokenKind> = new Set<TokenKind>([
  'bool',
  'char',
  'complex',
  'field',
  'identifier',
  'number',
  'rawString',
  'string',
  'variable',
  'leftParen',
])

function startsOperand(token: Token): boolean {
  return operandStarts.has(token.kind) || isKeyword(token, '.') || isKeyword(token, 'nil')
}
