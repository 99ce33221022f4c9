import { templateError } from '../errors.ts'
import type { Token, TokenKind } from './lexer.ts'
import { quote } from './quote.ts'

/** How deep parentheses and control structures may be nested in each other. */
const maxNesting = 500

/** The tokens of a text, and how far it is read: shared by the parsers of the text and of the definitions inside of it. */
export interface TokenStream {
  /** Name of the template, for messages. */
  readonly name: string
  readonly tokens: readonly Token[]
  next: number
  nesting: number
}

/** Reads tokens for one parser, and says errors with the line at which it is. */
export class TokenCursor {
  readonly #stream: TokenStream
  /** Line of the action being read, 0 between actions. */
  actionLine = 0
  /** The furthest token seen by this parser: errors are reported at its line. */
  #furthest: number
  #line = 0

  constructor(stream: TokenStream) {
    this.#stream = stream
    this.#furthest = stream.next - 1
  }

  next(): Token {
    const { tokens, next } = this.#stream
    // Behind the end there is only more of it.
    const token = tokens[Math.min(next, tokens.length - 1)] as Token
    if (next > this.#furthest) {
      this.#furthest = next
      this.#line = token.line
    }
    this.#stream.next++
    return token
  }

  peek(): Token {
    const token = this.next()
    this.#stream.next--
    return token
  }

  nextNonSpace(): Token {
    for (;;) {
      const token = this.next()
      if (token.kind !== 'space') return token
    }
  }

  peekNonSpace(): Token {
    const token = this.nextNonSpace()
    this.#stream.next--
    return token
  }

  expect(kind: TokenKind, context: string): Token {
    const token = this.nextNonSpace()
    if (token.kind !== kind) throw this.unexpected(token, context)
    return token
  }

  unexpected(token: Token, context: string): Error {
    if (token.kind !== 'error') return this.error(`unexpected ${describeToken(token)} in ${context}`)
    if (this.actionLine === 0 || this.actionLine === token.line) return this.error(token.text)
    const started = `started at ${this.#stream.name}:${this.actionLine}`
    return this.error(`${token.text}${token.text.endsWith(' action') ? '' : ' in action'} ${started}`)
  }

  error(reason: string): Error {
    return templateError('TEMPLATE_PARSE', `template: ${this.#stream.name}:${this.#line}: ${reason}`, {
      details: { line: this.#line },
    })
  }

  /** Unreads one token. */
  back(): void {
    this.#stream.next--
  }

  /** For `rewind`. */
  get position(): number {
    return this.#stream.next
  }

  rewind(position: number): void {
    this.#stream.next = position
  }

  /** One level deeper; `tooDeep` is for where Go has words of its own. */
  enter(tooDeep = () => this.#tooDeep()): void {
    if (++this.#stream.nesting > maxNesting) throw tooDeep()
  }

  leave(): void {
    this.#stream.nesting--
  }

  #tooDeep(): Error {
    const where = `template: ${this.#stream.name}:${this.#line}`
    return templateError('TEMPLATE_LIMIT', `${where}: more than ${maxNesting} levels of nesting`)
  }
}

export function isKeyword(token: Token, word: string): boolean {
  return token.kind === 'keyword' && token.text === word
}

function describeToken(token: Token): string {
  if (token.kind === 'eof') return 'EOF'
  if (token.kind === 'keyword') return `<${token.text}>`
  if (Buffer.byteLength(token.text) <= 10) return quote(token.text)
  return `${quote(Array.from(token.text).slice(0, 10).join(''))}...`
}
