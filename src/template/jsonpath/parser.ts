import { parseFloat64 } from '../go/parse-number.ts'
import { unquote } from '../go/quote.ts'
import type { PathList, PathNode } from './nodes.ts'

/** Thrown for a JSONPath that does not parse. */
export class JsonPathSyntaxError extends Error {}

/** Parses kubectl's JSONPath template: `name: {.metadata.name}`. Throws JsonPathSyntaxError. */
export function parseJsonPath(text: string): readonly PathNode[] {
  return new PathParser(text).parse()
}

class PathParser {
  readonly #text: string
  readonly #root: PathNode[] = []
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  parse(): readonly PathNode[] {
    while (this.#at < this.#text.length) {
      const open = this.#text.indexOf('{', this.#at)
      const end = open < 0 ? this.#text.length : open
      if (end > this.#at) this.#root.push({ kind: 'text', text: this.#text.slice(this.#at, end) })
      this.#at = end
      if (open >= 0) {
        this.#at++
        this.#root.push(this.#expression())
      }
    }
    return this.#root
  }

  #expression(): PathList {
    const nodes: PathNode[] = []
    for (;;) {
      if (this.#take('}')) return { kind: 'list', nodes }
      if (this.#take('[?(')) nodes.push(this.#filter())
      else if (this.#take('..')) this.#recursive(nodes)
      else this.#step(nodes)
    }
  }

  #step(nodes: PathNode[]): void {
    const char = this.#next()
    if (char === '' || char === '\n' || char === '\r') throw new JsonPathSyntaxError('unclosed action')
    if (char === ' ' || char === '@' || char === '$') return
    if (char === '[') nodes.push(...this.#brackets())
    else if (char === '"' || char === "'") nodes.push({ kind: 'text', text: this.#quoted(char) })
    else if (char === '.') nodes.push(this.#field())
    else if (/[+\-\p{Nd}]/u.test(char)) nodes.push(this.#number(char))
    else if (/[_\p{L}]/u.test(char)) nodes.push(this.#identifier(char))
    else throw new JsonPathSyntaxError(`unrecognized character in action: ${char}`)
  }

  #recursive(nodes: PathNode[]): void {
    if (nodes.at(-1)?.kind === 'recursive') throw new JsonPathSyntaxError('invalid multiple recursive descent')
    nodes.push({ kind: 'recursive' })
    if (/[_\p{L}\p{Nd}]/u.test(this.#peek())) nodes.push(this.#field())
  }

  /** A name up to what ends it; a backslash takes the next character as it is. */
  #field(): PathNode {
    let name = ''
    while (!isTerminator(this.#peek())) {
      const char = this.#next()
      name += char === '\\' ? this.#next() : char
    }
    return name === '*' ? { kind: 'wildcard' } : { kind: 'field', name: name.replaceAll('\\', '') }
  }

  #identifier(first: string): PathNode {
    let name = first
    while (!isTerminator(this.#peek())) name += this.#next()
    return name === 'true' || name === 'false' ? { kind: 'bool', value: name === 'true' } : { kind: 'identifier', name }
  }

  #number(first: string): PathNode {
    let text = first
    while (/[.\p{Nd}]/u.test(this.#peek())) text += this.#next()
    if (/^[+-]?\d+$/.test(text)) return { kind: 'integer', value: BigInt(text) }
    const value = parseFloat64(text)
    if (value === undefined) throw new JsonPathSyntaxError(`cannot parse number ${text}`)
    return { kind: 'float', value }
  }

  #quoted(mark: string): string {
    const start = this.#at
    for (;;) {
      const char = this.#next()
      if (char === '' || char === '\n') throw new JsonPathSyntaxError('unterminated quoted string')
      if (char === mark && this.#text[this.#at - 2] !== '\\') break
    }
    const inner = this.#text.slice(start, this.#at - 1)
    if (!inner.includes('\\')) return inner
    // Go's literal syntax, in either kind of quotes.
    const value = unquote(mark === '"' ? `"${inner}"` : `"${inner.replaceAll("\\'", "'").replaceAll('"', '\\"')}"`)
    if (value === undefined) throw new JsonPathSyntaxError(`unquote string ${mark}${inner}${mark} error invalid syntax`)
    return value
  }

  #brackets(): readonly PathNode[] {
    const end = this.#text.indexOf(']', this.#at)
    const written = this.#text.slice(this.#at, end < 0 ? undefined : end)
    if (end < 0 || written.includes('\n')) throw new JsonPathSyntaxError('unterminated array')
    this.#at = end + 1
    const text = written === '*' ? ':' : written
    const parts = text.split(',')
    if (parts.length > 1) {
      return [{ kind: 'union', lists: parts.map((part) => listOf(`[${part.replace(/^ +| +$/g, '')}]`)) }]
    }
    const key = /^'([^']*)'$/.exec(text)
    if (key) return listOf(`.${key[1]}`).nodes
    return [sliceNode(text)]
  }

  #filter(): PathNode {
    const start = this.#at
    const end = this.#endOfFilter()
    const text = this.#text.slice(start, end)
    if (this.#next() !== ']') throw new JsonPathSyntaxError('unclosed array expect ]')
    const comparison = /^([^!<>=]+)([!<>=]+)(.+?)$/.exec(text)
    const [, left = text, operator = 'exists', right] = comparison ?? []
    const none: PathList = { kind: 'list', nodes: [] }
    return { kind: 'filter', left: listOf(left), right: right === undefined ? none : listOf(right), operator }
  }

  /** A closing parenthesis outside of the one quoted text a filter may have. */
  #endOfFilter(): number {
    let mark = ''
    let closed = false
    for (;;) {
      const char = this.#next()
      if (char === '' || char === '\n') throw new JsonPathSyntaxError('unterminated filter')
      if (char === '"' || char === "'") {
        if (mark === '') mark = char
        else if (char === mark && this.#text[this.#at - 2] !== '\\') closed = true
      } else if (char === ')' && (mark === '' || closed)) return this.#at - 1
    }
  }

  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false
    this.#at += text.length
    return true
  }

  #peek(): string {
    const code = this.#text.codePointAt(this.#at)
    return code === undefined ? '' : String.fromCodePoint(code)
  }

  #next(): string {
    const char = this.#peek()
    this.#at += char.length
    return char
  }
}

function listOf(expression: string): PathList {
  const [first] = parseJsonPath(`{${expression}}`)
  if (first?.kind !== 'list') throw new JsonPathSyntaxError(`invalid expression ${expression}`)
  return first
}

/** `[1]`, `[-1:]`, `[0:4:2]`, `[]` (the first). */
function sliceNode(text: string): PathNode {
  const match = /^(-?\d*)(:-?\d*)?(:-?\d*)?$/.exec(text)
  if (!match) throw new JsonPathSyntaxError(`invalid array index ${text}`)
  const [, from = '', to, step] = match
  const first = indexOf(from)
  const last = to === undefined ? (first ?? 0) + 1 : indexOf(to.slice(1))
  const by = step === undefined ? undefined : indexOf(step.slice(1))
  return {
    kind: 'array',
    toDerived: to === undefined,
    ...(first === undefined ? {} : { from: first }),
    ...(last === undefined ? {} : { to: last }),
    ...(by === undefined ? {} : { step: by }),
  }
}

function indexOf(digits: string): number | undefined {
  if (digits === '') return undefined
  if (digits === '-') throw new JsonPathSyntaxError(`array index ${digits} is not a number`)
  return Number(digits)
}

function isTerminator(char: string): boolean {
  return char === '' || ' \t\r\n.,[]$@{}'.includes(char)
}
