import { isPrintable, quote } from './quote.ts'

/** What a piece of a template is. `error` carries the reason in its text and is the last but `eof`. */
export type TokenKind =
  | 'text'
  | 'leftDelim'
  | 'rightDelim'
  | 'space'
  | 'identifier'
  | 'field'
  | 'variable'
  | 'keyword'
  | 'bool'
  | 'number'
  | 'complex'
  | 'char'
  | 'string'
  | 'rawString'
  | 'declare'
  | 'assign'
  | 'pipe'
  | 'leftParen'
  | 'rightParen'
  | 'other'
  | 'error'
  | 'eof'

export interface Token {
  readonly kind: TokenKind
  /** The source text of it; for `field` with its dot, for strings with their quotes. */
  readonly text: string
  /** Offset into the source, in UTF-16 units. */
  readonly at: number
  /** Line of its start, from 1. */
  readonly line: number
}

/** Words with a meaning of their own; `.` alone is the cursor. */
const keywords: ReadonlySet<string> = new Set([
  '.',
  'block',
  'break',
  'continue',
  'define',
  'else',
  'end',
  'if',
  'range',
  'nil',
  'template',
  'with',
])

/**
 * Cuts a template into tokens. Never throws: what is wrong becomes an `error` token, since Go reports an earlier mistake
 * of grammar first. Comments and trimmed white space are gone afterwards.
 */
export function lexTemplate(source: string): readonly Token[] {
  const lexer = new Lexer(source)
  lexer.run()
  return lexer.tokens
}

const open = '{{'
const close = '}}'

class Lexer {
  readonly tokens: Token[] = []
  readonly #source: string
  #at = 0
  #line = 1
  /** Up to where `#line` has counted. */
  #counted = 0
  #parens = 0
  #failed = false

  constructor(source: string) {
    this.#source = source
  }

  run(): void {
    while (!this.#failed && this.#at < this.#source.length) this.#lexTextThenAction()
    this.#push('eof', this.#at, '')
  }

  #lexTextThenAction(): void {
    const start = this.#at
    const found = this.#source.indexOf(open, start)
    if (found < 0) {
      this.#at = this.#source.length
      this.#push('text', start, this.#source.slice(start))
      return
    }
    const trims = this.#trimsLeft(found + open.length)
    const end = trims ? trimmedEnd(this.#source, start, found) : found
    if (end > start) this.#push('text', start, this.#source.slice(start, end))
    const inside = found + open.length + (trims ? 2 : 0)
    if (this.#source.startsWith('/*', inside)) {
      this.#skipComment(inside)
      return
    }
    this.#push('leftDelim', found, open)
    this.#at = inside
    this.#parens = 0
    this.#lexAction()
  }

  #skipComment(start: number): void {
    const end = this.#source.indexOf('*/', start + 2)
    if (end < 0) return this.#fail(start, 'unclosed comment')
    this.#at = end + 2
    const delim = this.#rightDelim()
    if (delim === undefined) return this.#fail(start, 'comment ends before closing delimiter')
    this.#leaveAction(delim)
  }

  #lexAction(): void {
    while (!this.#failed) {
      const delim = this.#rightDelim()
      if (delim !== undefined) {
        if (this.#parens > 0) return this.#fail(this.#at, 'unclosed left paren')
        this.#push('rightDelim', this.#at + (delim.trims ? 2 : 0), close)
        return this.#leaveAction(delim)
      }
      this.#lexInsideAction()
    }
  }

  #lexInsideAction(): void {
    const start = this.#at
    const char = this.#next()
    if (char === '') return this.#fail(start, 'unclosed action')
    if (isSpace(char)) return this.#lexSpace(start)
    switch (char) {
      case '=':
        return this.#emit('assign', start)
      case ':':
        return this.#next() === '=' ? this.#emit('declare', start) : this.#fail(start, 'expected :=')
      case '|':
        return this.#emit('pipe', start)
      case '"':
        return this.#lexQuoted(start, '"', 'string', 'unterminated quoted string')
      case "'":
        return this.#lexQuoted(start, "'", 'char', 'unterminated character constant')
      case '`':
        return this.#lexRawString(start)
      case '$':
        return this.#atTerminator() ? this.#emit('variable', start) : this.#lexName(start, 'variable')
      case '(':
        this.#parens++
        return this.#emit('leftParen', start)
      case ')':
        if (--this.#parens < 0) return this.#fail(start, 'unexpected right paren')
        return this.#emit('rightParen', start)
    }
    if (char === '.' && !isDigit(this.#peek()) && this.#peek() !== '') return this.#lexField(start)
    if (char === '.' || char === '+' || char === '-' || isDigit(char)) return this.#lexNumber(start)
    if (isAlphaNumeric(char)) return this.#lexName(start, 'identifier')
    if (char >= ' ' && char <= '~') return this.#emit('other', start)
    this.#fail(start, `unrecognized character in action: ${describeChar(char)}`)
  }

  /** A run of spaces; the last one may belong to a ` -}}` that follows. */
  #lexSpace(start: number): void {
    while (isSpace(this.#peek())) this.#at++
    if (this.#source.startsWith(`-${close}`, this.#at)) {
      this.#at--
      if (this.#at === start) return
    }
    this.#emit('space', start)
  }

  #lexField(start: number): void {
    if (this.#atTerminator()) return this.#emit('keyword', start)
    this.#lexName(start, 'field')
  }

  #lexName(start: number, kind: 'identifier' | 'field' | 'variable'): void {
    while (isAlphaNumeric(this.#peek())) this.#next()
    if (!this.#atTerminator()) return this.#fail(start, `bad character ${describeChar(this.#peek())}`)
    const word = this.#source.slice(start, this.#at)
    if (kind !== 'identifier') return this.#emit(kind, start)
    if (keywords.has(word)) return this.#emit('keyword', start)
    this.#emit(word === 'true' || word === 'false' ? 'bool' : 'identifier', start)
  }

  #lexQuoted(start: number, quote: string, kind: 'string' | 'char', unterminated: string): void {
    for (;;) {
      let char = this.#next()
      if (char === quote) return this.#emit(kind, start)
      const escaped = char === '\\'
      if (escaped) char = this.#next()
      if (char === '' || char === '\n') return this.#fail(start, unterminated)
    }
  }

  #lexRawString(start: number): void {
    const end = this.#source.indexOf('`', this.#at)
    if (end < 0) return this.#fail(start, 'unterminated raw quoted string')
    this.#at = end + 1
    this.#emit('rawString', start)
  }

  /** Takes what may be a number; whether it is one is decided when it is read. */
  #lexNumber(start: number): void {
    this.#at = start
    if (!this.#scanNumber()) return this.#failNumber(start)
    if (this.#peek() !== '+' && this.#peek() !== '-') return this.#emit('number', start)
    // A complex constant, 1+2i: no spaces, and it ends in i.
    if (!this.#scanNumber() || this.#source[this.#at - 1] !== 'i') return this.#failNumber(start)
    this.#emit('complex', start)
  }

  #scanNumber(): boolean {
    this.#accept(/[+-]/y)
    const digits = this.#acceptDigitSet()
    this.#accept(digits.run)
    if (this.#accept(/\./y)) this.#accept(digits.run)
    if (digits.exponent && this.#accept(digits.exponent)) {
      this.#accept(/[+-]/y)
      this.#accept(/[0-9_]+/y)
    }
    this.#accept(/i/y)
    if (!isAlphaNumeric(this.#peek())) return true
    this.#next()
    return false
  }

  #acceptDigitSet(): { readonly run: RegExp; readonly exponent?: RegExp } {
    if (this.#accept(/0/y)) {
      if (this.#accept(/[xX]/y)) return { run: /[0-9a-fA-F_]+/y, exponent: /[pP]/y }
      if (this.#accept(/[oO]/y)) return { run: /[0-7_]+/y }
      if (this.#accept(/[bB]/y)) return { run: /[01_]+/y }
    }
    return { run: /[0-9_]+/y, exponent: /[eE]/y }
  }

  #failNumber(start: number): void {
    this.#fail(start, `bad number syntax: ${quote(this.#source.slice(start, this.#at))}`)
  }

  #accept(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#source)
    if (match) this.#at += match[0].length
    return match !== null
  }

  /** What may stand behind a name. */
  #atTerminator(): boolean {
    const char = this.#peek()
    return char === '' || isSpace(char) || '.,|:()'.includes(char) || this.#source.startsWith(close, this.#at)
  }

  #trimsLeft(at: number): boolean {
    return this.#source[at] === '-' && isSpace(this.#source[at + 1] ?? '')
  }

  #rightDelim(): { readonly trims: boolean } | undefined {
    if (this.#source.startsWith(close, this.#at)) return { trims: false }
    const trims = isSpace(this.#source[this.#at] ?? '') && this.#source.startsWith(`-${close}`, this.#at + 1)
    return trims ? { trims } : undefined
  }

  #leaveAction(delim: { readonly trims: boolean }): void {
    this.#at += close.length
    if (!delim.trims) return
    this.#at += 2
    while (isSpace(this.#peek())) this.#at++
  }

  #peek(): string {
    const code = this.#source.codePointAt(this.#at)
    return code === undefined ? '' : String.fromCodePoint(code)
  }

  #next(): string {
    const char = this.#peek()
    this.#at += char.length
    return char
  }

  #emit(kind: TokenKind, start: number): void {
    this.#push(kind, start, this.#source.slice(start, this.#at))
  }

  #fail(start: number, reason: string): void {
    this.#push('error', start, reason)
    this.#failed = true
  }

  #push(kind: TokenKind, at: number, text: string): void {
    for (; this.#counted < at; this.#counted++) if (this.#source[this.#counted] === '\n') this.#line++
    this.tokens.push({ kind, text, at, line: this.#line })
  }
}

export function isSpace(char: string): boolean {
  return char === ' ' || char === '\t' || char === '\r' || char === '\n'
}

function isDigit(char: string): boolean {
  return char >= '0' && char <= '9' && char.length === 1
}

function isAlphaNumeric(char: string): boolean {
  return /^[\p{L}\p{Nd}_]$/u.test(char)
}

function trimmedEnd(text: string, start: number, end: number): number {
  while (end > start && isSpace(text[end - 1] ?? '')) end--
  return end
}

/** Go's `%#U`: the code point, and the character where it can be shown. */
function describeChar(char: string): string {
  const shown = char.isWellFormed() ? char : '\ufffd'
  const code = (shown.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
  return isPrintable(shown) ? `U+${code} '${shown}'` : `U+${code}`
}
