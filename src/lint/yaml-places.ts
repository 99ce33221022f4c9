import { type Document, isAlias, isMap, isNode, isPair, isScalar, isSeq, type LineCounter, type Node, type Scalar } from 'yaml'
import type { TemplatePlace } from '../template/template-uses.ts'
import type { Path, Spot } from './finding.ts'

export interface SourcePlace {
  readonly line: number
  readonly column: number
  /** The line itself. */
  readonly source: string
}

/** Finds the lines of a YAML document that a path of its value stands on, places inside of texts too. */
export class YamlPlaces {
  readonly #text: string
  readonly #document: Document
  readonly #lines: LineCounter
  readonly #sources: readonly string[]

  constructor(text: string, document: Document, lines: LineCounter) {
    this.#text = text
    this.#document = document
    this.#lines = lines
    this.#sources = text.split('\n')
  }

  /** The nearest that there is: for a path that leads nowhere, where its beginning stands. */
  find(path: Path, spot: Spot): SourcePlace {
    const { key, value, isWhole } = this.#nodeAt(path)
    if (!isWhole || spot === 'key') return this.at((key ?? value)?.range?.[0] ?? 0)
    if (spot === 'value' || !isScalar(value) || typeof value.value !== 'string') return this.at(value?.range?.[0] ?? 0)
    return this.at(this.#offsetInText(value as Scalar<string>, spot))
  }

  /** An offset as line and column. */
  at(offset: number): SourcePlace {
    const { line, col } = this.#lines.linePos(offset)
    const source = this.#sources[line - 1] ?? ''
    return { line: Math.max(line, 1), column: Math.max(col, 1), source: source.replace(/\r$/, '') }
  }

  #nodeAt(path: Path): { key?: Node; value?: Node; isWhole: boolean } {
    let found: { key?: Node; value?: Node } = isNode(this.#document.contents) ? { value: this.#document.contents } : {}
    for (const step of path) {
      const next = found.value && this.#child(this.#resolved(found.value), step)
      if (!next) return { ...found, isWhole: false }
      found = next
    }
    return { ...found, isWhole: true }
  }

  #child(node: Node | undefined, step: string | number): { key?: Node; value?: Node } | undefined {
    if (isSeq(node)) {
      const item = node.items[Number(step)]
      return isNode(item) ? { value: item } : undefined
    }
    if (!isMap(node)) return undefined
    for (const pair of node.items) {
      if (!isPair(pair) || !isNode(pair.key)) continue
      const name = isScalar(pair.key) ? String(pair.key.value) : undefined
      if (name === String(step)) return { key: pair.key, ...(isNode(pair.value) ? { value: pair.value } : {}) }
      const merged = name === '<<' && isNode(pair.value) ? this.#child(this.#resolved(pair.value), step) : undefined
      if (merged) return merged
    }
    return undefined
  }

  #resolved(node: Node): Node | undefined {
    return isAlias(node) ? node.resolve(this.#document) : node
  }

  /**
   * Folding, indentation and escapes change white space and little else, so that the text that is not white space is found again in
   * the source in its order.
   */
  #offsetInText(scalar: Scalar<string>, place: TemplatePlace): number {
    const start = scalar.range?.[0] ?? 0
    const isBlock = scalar.type === 'BLOCK_LITERAL' || scalar.type === 'BLOCK_FOLDED'
    let offset = isBlock ? this.#text.indexOf('\n', start) + 1 : start
    const end = scalar.range?.[1] ?? this.#text.length
    const target = offsetOf(scalar.value, place)
    for (let at = 0; at < scalar.value.length && offset < end; at++) {
      const character = scalar.value[at] ?? ''
      if (/\s/.test(character)) continue
      const escape = scalar.type === 'QUOTE_DOUBLE' ? this.#escapeAt(offset) : undefined
      const found = escape ? escape.start : this.#text.indexOf(character, offset)
      if (found < 0 || found >= end) return Math.min(offset, end)
      if (at >= target) return found
      offset = escape ? escape.end : found + 1
    }
    return Math.min(offset, end)
  }

  /** An escape in double quotes that stands for something else than white space, if one is next. */
  #escapeAt(offset: number): { readonly start: number; readonly end: number } | undefined {
    const [all = '', blank = ''] = escape.exec(this.#text.slice(offset, offset + 200)) ?? []
    return all === '' ? undefined : { start: offset + blank.length, end: offset + all.length }
  }
}

/** White space first, escaped or not. */
const escape = /^((?:\s|\\[nrt \n])*)\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[^nrt\s])/

function offsetOf(text: string, place: TemplatePlace): number {
  const before = text.split('\n').slice(0, place.line - 1)
  return before.reduce((sum, line) => sum + line.length + 1, 0) + place.column - 1
}
