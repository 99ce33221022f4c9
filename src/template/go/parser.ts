import { lexTemplate, type Token } from './lexer.ts'
import type { BranchNode, ListNode, Node, TemplateNode } from './nodes.ts'
import { PipelineParser, unquoted } from './pipeline-parser.ts'
import { quote } from './quote.ts'
import { TokenCursor, type TokenStream, isKeyword } from './token-cursor.ts'

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
interface Shared extends TokenStream {
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
  readonly #cursor: TokenCursor
  readonly #pipelines: PipelineParser
  #rangeDepth = 0

  constructor(shared: Shared) {
    this.#shared = shared
    this.#cursor = new TokenCursor(shared)
    this.#pipelines = new PipelineParser(this.#cursor, shared.knowsFunction)
  }

  parseMain(): void {
    const at = this.#cursor.peek().at
    const nodes: Node[] = []
    while (this.#cursor.peek().kind !== 'eof') {
      if (this.#skipToDefine()) new Parser(this.#shared).#parseDefinition()
      else nodes.push(this.#notTerminator(this.#textOrAction()))
    }
    this.#add(this.#shared.name, list(at, nodes))
  }

  #notTerminator(node: Node | Terminator): Node {
    if (isTerminator(node)) throw this.#cursor.error(`unexpected {{${node.kind}}}`)
    return node
  }

  #skipToDefine(): boolean {
    const start = this.#cursor.position
    if (this.#cursor.peek().kind === 'leftDelim') {
      this.#cursor.next()
      if (isKeyword(this.#cursor.nextNonSpace(), 'define')) return true
      this.#cursor.rewind(start)
    }
    return false
  }

  #parseDefinition(): void {
    const context = 'define clause'
    const name = this.#templateName(this.#cursor.nextNonSpace(), context)
    this.#cursor.expect('rightDelim', context)
    this.#parseNamedBody(name, (terminator) => this.#cursor.error(`unexpected {{${terminator}}} in ${context}`))
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
    else if (!isEmpty(tree)) throw this.#cursor.error(`template: multiple definition of template ${quote(name)}`)
  }

  #itemList(): [ListNode, Terminator] {
    this.#cursor.enter()
    const at = this.#cursor.peekNonSpace().at
    const nodes: Node[] = []
    while (this.#cursor.peekNonSpace().kind !== 'eof') {
      const node = this.#textOrAction()
      if (isTerminator(node)) {
        this.#cursor.leave()
        return [list(at, nodes), node]
      }
      nodes.push(node)
    }
    throw this.#cursor.error('unexpected EOF')
  }

  #textOrAction(): Node | Terminator {
    const token = this.#cursor.nextNonSpace()
    if (token.kind === 'text') return Object.freeze({ kind: 'text', at: token.at, text: token.text })
    if (token.kind !== 'leftDelim') throw this.#cursor.unexpected(token, 'input')
    this.#cursor.actionLine = token.line
    const node = this.#action()
    this.#cursor.actionLine = 0
    return node
  }

  #action(): Node | Terminator {
    const token = this.#cursor.nextNonSpace()
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
          return { kind: 'end', at: this.#cursor.expect('rightDelim', 'end').at }
        case 'if':
        case 'with':
        case 'range':
          return this.#control(token.text)
        case 'template':
          return this.#template()
      }
    }
    this.#cursor.back()
    const { at } = this.#cursor.peek()
    return Object.freeze({ kind: 'action', at, pipe: this.#pipelines.parse('command', 'rightDelim') })
  }

  #jump(kind: 'break' | 'continue', at: number): Node {
    const token = this.#cursor.nextNonSpace()
    if (token.kind !== 'rightDelim') throw this.#cursor.unexpected(token, `{{${kind}}}`)
    if (this.#rangeDepth === 0) throw this.#cursor.error(`{{${kind}}} outside {{range}}`)
    return Object.freeze({ kind, at })
  }

  #else(): Terminator {
    const token = this.#cursor.peekNonSpace()
    // `else if` and `else with` are read by the control they belong to.
    if (isKeyword(token, 'if') || isKeyword(token, 'with')) return { kind: 'else', at: token.at }
    return { kind: 'else', at: this.#cursor.expect('rightDelim', 'else').at }
  }

  #control(kind: Control): BranchNode {
    const variables = this.#pipelines.variables.length
    const pipe = this.#pipelines.parse(kind, 'rightDelim')
    if (kind === 'range') this.#rangeDepth++
    const [body, terminator] = this.#itemList()
    if (kind === 'range') this.#rangeDepth--
    const elseList = terminator.kind === 'else' ? this.#elseList(kind, terminator) : undefined
    this.#pipelines.variables.length = variables
    return Object.freeze({ kind, at: pipe.at, pipe, list: body, ...(elseList ? { elseList } : {}) })
  }

  #elseList(kind: Control, terminator: Terminator): ListNode {
    if (kind !== 'range' && isKeyword(this.#cursor.peek(), kind)) {
      this.#cursor.next()
      this.#cursor.enter()
      const chained = list(terminator.at, [this.#control(kind)])
      this.#cursor.leave()
      return chained
    }
    const [body, end] = this.#itemList()
    if (end.kind !== 'end') throw this.#cursor.error(`expected end; found {{${end.kind}}}`)
    return body
  }

  #block(): TemplateNode {
    const context = 'block clause'
    const token = this.#cursor.nextNonSpace()
    const name = this.#templateName(token, context)
    const pipe = this.#pipelines.parse(context, 'rightDelim')
    new Parser(this.#shared).#parseNamedBody(name, (terminator) =>
      this.#cursor.error(`unexpected {{${terminator}}} in ${context}`),
    )
    return Object.freeze({ kind: 'template', at: token.at, name, pipe })
  }

  #template(): TemplateNode {
    const context = 'template clause'
    const token = this.#cursor.nextNonSpace()
    const name = this.#templateName(token, context)
    if (this.#cursor.nextNonSpace().kind === 'rightDelim') return Object.freeze({ kind: 'template', at: token.at, name })
    this.#cursor.back()
    return Object.freeze({ kind: 'template', at: token.at, name, pipe: this.#pipelines.parse(context, 'rightDelim') })
  }

  #templateName(token: Token, context: string): string {
    if (token.kind !== 'string' && token.kind !== 'rawString') throw this.#cursor.unexpected(token, context)
    return unquoted(token, this.#cursor)
  }
}

function list(at: number, nodes: readonly Node[]): ListNode {
  return Object.freeze({ kind: 'list', at, nodes })
}

function isTerminator(node: Node | Terminator): node is Terminator {
  return node.kind === 'end' || node.kind === 'else'
}

/** Nothing but white space, so that a later definition may take its place. */
function isEmpty(tree: ListNode): boolean {
  return tree.nodes.every((node) => node.kind === 'text' && node.text.trim() === '')
}
