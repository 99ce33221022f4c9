import { templateError } from '../errors.ts'
import { lexTemplate, type Token, type TokenKind } from './lexer.ts'
import type {
  BranchNode,
  ChainNode,
  CommandNode,
  ListNode,
  Node,
  Operand,
  PipeNode,
  TemplateNode,
  VariableNode,
} from './nodes.ts'
import { describeNode } from './nodes.ts'
import { LiteralError, readNumber } from './number-literal.ts'
import { quote, unquote } from './quote.ts'

/** A parsed text: its own tree and those that it defines by name, its own among them. Frozen, may be shared. */
export interface ParsedTemplate {
  readonly name: string
  readonly source: string
  readonly trees: ReadonlyMap<string, ListNode>
}

export interface ParseOptions {
  /** Name of the template in messages. @default 'config', as Kanister's */
  readonly name?: string
  readonly knowsFunction: (name: string) => boolean
}

/** How deep parentheses and control structures may be nested in each other. */
export const maxNesting = 500

/** Parses a Go template; throws TEMPLATE_PARSE with Go's text. */
export function parseTemplate(source: string, options: ParseOptions): ParsedTemplate {
  const name = options.name ?? 'config'
  const shared: Shared = {
    name,
    tokens: lexTemplate(source),
    next: 0,
    nesting: 0,
    trees: new Map(),
    knowsFunction: options.knowsFunction,
  }
  new Parser(shared).parseMain()
  return Object.freeze({ name, source, trees: shared.trees })
}

/** What the parser of the text and those of the definitions inside of it have in common. */
interface Shared {
  readonly name: string
  readonly tokens: readonly Token[]
  next: number
  nesting: number
  readonly trees: Map<string, ListNode>
  readonly knowsFunction: (name: string) => boolean
}

/** `{{ end }}` or `{{ else }}`, where a list of nodes ends. */
interface Terminator {
  readonly kind: 'end' | 'else'
  readonly at: number
}

type Control = 'if' | 'with' | 'range'

/** Parses one tree. Each definition has a parser of its own: variables and `break` do not reach into it. */
class Parser {
  readonly #shared: Shared
  #variables = ['$']
  #rangeDepth = 0
  /** Line of the action being read, 0 between actions. */
  #actionLine = 0
  /** The furthest token seen by this parser: errors are reported at its line. */
  #furthest: number
  #line = 0

  constructor(shared: Shared) {
    this.#shared = shared
    this.#furthest = shared.next - 1
  }

  parseMain(): void {
    const at = this.#peek().at
    const nodes: Node[] = []
    while (this.#peek().kind !== 'eof') {
      if (this.#skipToDefine()) new Parser(this.#shared).#parseDefinition()
      else nodes.push(this.#notTerminator(this.#textOrAction()))
    }
    this.#add(this.#shared.name, list(at, nodes))
  }

  #notTerminator(node: Node | Terminator): Node {
    if (isTerminator(node)) throw this.#error(`unexpected {{${node.kind}}}`)
    return node
  }

  #skipToDefine(): boolean {
    const start = this.#shared.next
    if (this.#peek().kind === 'leftDelim') {
      this.#next()
      if (isKeyword(this.#nextNonSpace(), 'define')) return true
      this.#shared.next = start
    }
    return false
  }

  #parseDefinition(): void {
    const context = 'define clause'
    const name = this.#templateName(this.#nextNonSpace(), context)
    this.#expect('rightDelim', context)
    this.#parseNamedBody(name, (terminator) => this.#error(`unexpected {{${terminator}}} in ${context}`))
  }

  #parseNamedBody(name: string, misplaced: (terminator: string) => Error): void {
    const [body, end] = this.#itemList()
    if (end.kind !== 'end') throw misplaced(end.kind)
    this.#add(name, body)
  }

  #add(name: string, tree: ListNode): void {
    const { trees } = this.#shared
    const present = trees.get(name)
    if (present === undefined || isEmpty(present)) trees.set(name, tree)
    else if (!isEmpty(tree)) throw this.#error(`template: multiple definition of template ${quote(name)}`)
  }

  #itemList(): [ListNode, Terminator] {
    if (++this.#shared.nesting > maxNesting) throw this.#tooDeep()
    const at = this.#peekNonSpace().at
    const nodes: Node[] = []
    while (this.#peekNonSpace().kind !== 'eof') {
      const node = this.#textOrAction()
      if (isTerminator(node)) {
        this.#shared.nesting--
        return [list(at, nodes), node]
      }
      nodes.push(node)
    }
    throw this.#error('unexpected EOF')
  }

  #textOrAction(): Node | Terminator {
    const token = this.#nextNonSpace()
    if (token.kind === 'text') return Object.freeze({ kind: 'text', at: token.at, text: token.text })
    if (token.kind !== 'leftDelim') throw this.#unexpected(token, 'input')
    this.#actionLine = token.line
    const node = this.#action()
    this.#actionLine = 0
    return node
  }

  #action(): Node | Terminator {
    const token = this.#nextNonSpace()
    if (token.kind === 'keyword') {
      switch (token.text) {
        case 'block':
          return this.#block()
        case 'break':
        case 'continue':
          return this.#jump(token.text, token.at)
        case 'else':
          return this.#else()
        case 'end':
          return { kind: 'end', at: this.#expect('rightDelim', 'end').at }
        case 'if':
        case 'with':
        case 'range':
          return this.#control(token.text)
        case 'template':
          return this.#template()
      }
    }
    this.#shared.next--
    const { at } = this.#peek()
    return Object.freeze({ kind: 'action', at, pipe: this.#pipeline('command', 'rightDelim') })
  }

  #jump(kind: 'break' | 'continue', at: number): Node {
    const token = this.#nextNonSpace()
    if (token.kind !== 'rightDelim') throw this.#unexpected(token, `{{${kind}}}`)
    if (this.#rangeDepth === 0) throw this.#error(`{{${kind}}} outside {{range}}`)
    return Object.freeze({ kind, at })
  }

  #else(): Terminator {
    const token = this.#peekNonSpace()
    // `else if` and `else with` are read by the control they belong to.
    if (isKeyword(token, 'if') || isKeyword(token, 'with')) return { kind: 'else', at: token.at }
    return { kind: 'else', at: this.#expect('rightDelim', 'else').at }
  }

  #control(kind: Control): BranchNode {
    const variables = this.#variables.length
    const pipe = this.#pipeline(kind, 'rightDelim')
    if (kind === 'range') this.#rangeDepth++
    const [body, terminator] = this.#itemList()
    if (kind === 'range') this.#rangeDepth--
    const elseList = terminator.kind === 'else' ? this.#elseList(kind, terminator) : undefined
    this.#variables.length = variables
    return Object.freeze({ kind, at: pipe.at, pipe, list: body, ...(elseList ? { elseList } : {}) })
  }

  #elseList(kind: Control, terminator: Terminator): ListNode {
    if (kind !== 'range' && isKeyword(this.#peek(), kind)) {
      this.#next()
      if (++this.#shared.nesting > maxNesting) throw this.#tooDeep()
      const chained = list(terminator.at, [this.#control(kind)])
      this.#shared.nesting--
      return chained
    }
    const [body, end] = this.#itemList()
    if (end.kind !== 'end') throw this.#error(`expected end; found {{${end.kind}}}`)
    return body
  }

  #block(): TemplateNode {
    const context = 'block clause'
    const token = this.#nextNonSpace()
    const name = this.#templateName(token, context)
    const pipe = this.#pipeline(context, 'rightDelim')
    new Parser(this.#shared).#parseNamedBody(name, (terminator) => this.#error(`unexpected {{${terminator}}} in ${context}`))
    return Object.freeze({ kind: 'template', at: token.at, name, pipe })
  }

  #template(): TemplateNode {
    const context = 'template clause'
    const token = this.#nextNonSpace()
    const name = this.#templateName(token, context)
    if (this.#nextNonSpace().kind === 'rightDelim') return Object.freeze({ kind: 'template', at: token.at, name })
    this.#shared.next--
    return Object.freeze({ kind: 'template', at: token.at, name, pipe: this.#pipeline(context, 'rightDelim') })
  }

  #templateName(token: Token, context: string): string {
    if (token.kind !== 'string' && token.kind !== 'rawString') throw this.#unexpected(token, context)
    return this.#unquoted(token)
  }

  #unquoted(token: Token): string {
    const text = unquote(token.text)
    if (text === undefined) throw this.#error('invalid syntax')
    return text
  }

  #pipeline(context: string, end: TokenKind): PipeNode {
    const { at } = this.#peekNonSpace()
    const { declares, assigns } = this.#declarations(context)
    const commands: CommandNode[] = []
    for (;;) {
      const token = this.#nextNonSpace()
      if (token.kind === end) break
      if (!startsOperand(token)) throw this.#unexpected(token, context)
      this.#shared.next--
      commands.push(this.#command())
    }
    this.#checkCommands(commands, context)
    return Object.freeze({ kind: 'pipe', at, declares, assigns, commands })
  }

  #checkCommands(commands: readonly CommandNode[], context: string): void {
    if (commands.length === 0) throw this.#error(`missing value for ${context}`)
    const bad = commands.findIndex(({ args }, at) => at > 0 && isConstant(args[0]))
    if (bad > 0) throw this.#error(`non executable command in pipeline stage ${bad + 1}`)
  }

  #declarations(context: string): { declares: readonly VariableNode[]; assigns: boolean } {
    const declares: VariableNode[] = []
    for (;;) {
      const start = this.#shared.next
      const token = this.#peekNonSpace()
      if (token.kind !== 'variable') return { declares, assigns: false }
      this.#next()
      const next = this.#peekNonSpace()
      if (next.kind === 'assign' || next.kind === 'declare') {
        this.#next()
        this.#declare(declares, token)
        return { declares, assigns: next.kind === 'assign' }
      }
      if (next.kind !== 'other' || next.text !== ',') {
        this.#shared.next = start
        return { declares, assigns: false }
      }
      this.#next()
      this.#declare(declares, token)
      this.#checkSecondVariable(context, declares.length)
    }
  }

  #declare(declares: VariableNode[], token: Token): void {
    declares.push(variable(token.at, token.text))
    this.#variables.push(token.text)
  }

  #checkSecondVariable(context: string, declared: number): void {
    if (context !== 'range' || declared > 1) throw this.#error(`too many declarations in ${context}`)
    const { kind } = this.#peekNonSpace()
    if (kind !== 'variable' && kind !== 'rightDelim' && kind !== 'rightParen') {
      throw this.#error('range can only initialize variables')
    }
  }

  #command(): CommandNode {
    const { at } = this.#peekNonSpace()
    const args: Operand[] = []
    for (;;) {
      this.#peekNonSpace()
      const operand = this.#operand()
      if (operand) args.push(operand)
      const token = this.#next()
      if (token.kind === 'space') continue
      if (token.kind === 'rightDelim' || token.kind === 'rightParen') this.#shared.next--
      else if (token.kind !== 'pipe') throw this.#unexpected(token, 'operand')
      break
    }
    const [first, ...rest] = args
    if (first === undefined) throw this.#error('empty command')
    return Object.freeze<CommandNode>({ kind: 'command', at, args: [first, ...rest], rest })
  }

  /** A term with the fields behind it. */
  #operand(): Operand | undefined {
    const term = this.#term()
    if (term === undefined || this.#peek().kind !== 'field') return term
    const { at } = this.#peek()
    const path: string[] = []
    while (this.#peek().kind === 'field') path.push(this.#next().text.slice(1))
    if (isConstant(term)) throw this.#error(`unexpected . after term ${quote(describeNode(term))}`)
    if (term.kind === 'field') return Object.freeze({ kind: 'field', at, path: [...term.path, ...path] })
    if (term.kind === 'variable') return Object.freeze({ kind: 'variable', at, path: [...term.path, ...path] as const })
    return Object.freeze<ChainNode>({ kind: 'chain', at, node: term, path })
  }

  #term(): Operand | undefined {
    const token = this.#nextNonSpace()
    const { at, text } = token
    switch (token.kind) {
      case 'identifier':
        if (!this.#shared.knowsFunction(text)) throw this.#error(`function ${quote(text)} not defined`)
        return Object.freeze({ kind: 'identifier', at, name: text })
      case 'keyword':
        if (text === '.') return Object.freeze({ kind: 'dot', at })
        if (text === 'nil') return Object.freeze({ kind: 'nil', at })
        break
      case 'variable':
        if (!this.#variables.includes(text)) throw this.#error(`undefined variable ${quote(text)}`)
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
        return Object.freeze({ kind: 'string', at, quoted: text, text: this.#unquoted(token) })
      case 'leftParen':
        return this.#parenthesized()
    }
    this.#shared.next--
    return undefined
  }

  #number(token: Token): Operand {
    try {
      return readNumber(token)
    } catch (error) {
      if (error instanceof LiteralError) throw this.#error(error.message)
      throw error
    }
  }

  #parenthesized(): PipeNode {
    if (++this.#shared.nesting > maxNesting) throw this.#error('max expression depth exceeded')
    const pipe = this.#pipeline('parenthesized pipeline', 'rightParen')
    this.#shared.nesting--
    return pipe
  }

  #next(): Token {
    const { tokens, next } = this.#shared
    // Behind the end there is only more of it.
    const token = tokens[Math.min(next, tokens.length - 1)] as Token
    if (next > this.#furthest) {
      this.#furthest = next
      this.#line = token.line
    }
    this.#shared.next++
    return token
  }

  #peek(): Token {
    const token = this.#next()
    this.#shared.next--
    return token
  }

  #nextNonSpace(): Token {
    for (;;) {
      const token = this.#next()
      if (token.kind !== 'space') return token
    }
  }

  #peekNonSpace(): Token {
    const token = this.#nextNonSpace()
    this.#shared.next--
    return token
  }

  #expect(kind: TokenKind, context: string): Token {
    const token = this.#nextNonSpace()
    if (token.kind !== kind) throw this.#unexpected(token, context)
    return token
  }

  #unexpected(token: Token, context: string): Error {
    if (token.kind !== 'error') return this.#error(`unexpected ${describeToken(token)} in ${context}`)
    if (this.#actionLine === 0 || this.#actionLine === token.line) return this.#error(token.text)
    const started = `started at ${this.#shared.name}:${this.#actionLine}`
    return this.#error(`${token.text}${token.text.endsWith(' action') ? '' : ' in action'} ${started}`)
  }

  #tooDeep(): Error {
    const where = `template: ${this.#shared.name}:${this.#line}`
    return templateError('TEMPLATE_LIMIT', `${where}: more than ${maxNesting} levels of nesting`)
  }

  #error(reason: string): Error {
    return templateError('TEMPLATE_PARSE', `template: ${this.#shared.name}:${this.#line}: ${reason}`, {
      details: { line: this.#line },
    })
  }
}

function list(at: number, nodes: readonly Node[]): ListNode {
  return Object.freeze({ kind: 'list', at, nodes })
}

function variable(at: number, name: string): VariableNode {
  return Object.freeze({ kind: 'variable', at, path: [name] as const })
}

function isTerminator(node: Node | Terminator): node is Terminator {
  return node.kind === 'end' || node.kind === 'else'
}

function isKeyword(token: Token, word: string): boolean {
  return token.kind === 'keyword' && token.text === word
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

/** Nothing but white space, so that a later definition may take its place. */
function isEmpty(tree: ListNode): boolean {
  return tree.nodes.every((node) => node.kind === 'text' && node.text.trim() === '')
}

function describeToken(token: Token): string {
  if (token.kind === 'eof') return 'EOF'
  if (token.kind === 'keyword') return `<${token.text}>`
  if (Buffer.byteLength(token.text) <= 10) return quote(token.text)
  return `${quote(Array.from(token.text).slice(0, 10).join(''))}...`
}
