import Handlebars from 'handlebars'
import { convertProgram } from './convert.ts'
import { failure } from './failure.ts'
import { hintForGoTemplate } from './hints.ts'
import type { HandlebarsTree, Place } from './tree.ts'

/**
 * Parses a template with the parser of the `handlebars` package, its handling of white space included, into a tree of our
 * own. Throws TEMPLATE_PARSE with line and column, also for what this dialect leaves out: partials, decorators, hash
 * arguments, blocks other than if, unless, with and each.
 */
export function parseHandlebars(source: string): HandlebarsTree {
  const program = parseProgram(source)
  return Object.freeze({ source, body: convertProgram(source, program) })
}

/** The parts of the package's parser that its types leave out. */
interface JisonParser {
  parseError?: (message: string, hash: ParseErrorHash) => never
}

interface ParseErrorHash {
  readonly token?: string | null
  readonly loc?: {
    readonly first_line: number
    readonly first_column: number
    readonly last_line: number
    readonly last_column: number
  }
}

function parseProgram(source: string): hbs.AST.Program {
  // The package exports its parser, though its types don't say so. Reporting an error is a method of it that may be replaced;
  // without that most errors have no column. Parsing is synchronous, so nobody else meets the replacement.
  const parser = (Handlebars as unknown as { Parser: JisonParser }).Parser
  parser.parseError = (message, hash) => {
    throw syntaxError(source, message, hash)
  }
  try {
    return Handlebars.parse(source)
  } catch (error) {
    throw isPositioned(error) ? failure('TEMPLATE_PARSE', source, placeOf(error), reasonOf(error)) : error
  } finally {
    delete parser.parseError
  }
}

/** Errors that the package throws itself, for a path or a closing tag that is wrong. */
interface PositionedError extends Error {
  readonly lineNumber: number
  readonly column: number
}

function isPositioned(error: unknown): error is PositionedError {
  return error instanceof Error && 'lineNumber' in error && typeof error.lineNumber === 'number'
}

function placeOf(error: PositionedError): Place {
  return { line: error.lineNumber, column: error.column + 1 }
}

function reasonOf(error: PositionedError): string {
  const text = error.message.replace(/ - \d+:\d+$/, '')
  const match = /^(\S+) doesn't match (\S+)$/.exec(text)
  return match ? `block "${match[1]}" is closed by "${match[2]}"` : text
}

function syntaxError(source: string, message: string, hash: ParseErrorHash): Error {
  const { loc, token } = hash
  // The parser names the place where the last good token ended.
  const line = loc?.last_line ?? 1
  const column = (loc?.last_column ?? 0) + 1
  const expression = tagAround(source, line, column)
  const got = /got '([^']+)'/.exec(message)?.[1] ?? token ?? ''
  const reason = reasonOfToken(got, expression)
  return failure('TEMPLATE_PARSE', source, { line, column }, reason + hintForGoTemplate(expression))
}

function reasonOfToken(got: string, expression: string): string {
  if (got === 'EOF') return 'the template ends within a block that is not closed'
  if (got === 'INVALID' && !expression.includes('}}')) return 'this tag is not closed by "}}"'
  return `${nameOfToken(got)} is not expected here`
}

/** From the `{{` before a place to the `}}` behind it. */
function tagAround(source: string, line: number, column: number): string {
  const before = source.split('\n').slice(0, line - 1)
  const at = before.reduce((length, text) => length + text.length + 1, 0) + column
  const start = source.lastIndexOf('{{', at)
  if (start < 0) return ''
  const end = source.indexOf('}}', start)
  return source.slice(start, end < 0 ? undefined : end + 2)
}

const tokens: Readonly<Record<string, string>> = {
  SEP: '"." or "/"',
  INVALID: 'this character',
  CLOSE: '"}}"',
  CLOSE_UNESCAPED: '"}}}"',
  CLOSE_BLOCK_PARAMS: '"|"',
  OPEN_SEXPR: '"("',
  CLOSE_SEXPR: '")"',
  EQUALS: '"="',
  INVERSE: '"else"',
  OPEN_INVERSE_CHAIN: '"else"',
  OPEN_ENDBLOCK: 'the end of a block',
  ID: 'a name',
  STRING: 'a string',
  NUMBER: 'a number',
  DATA: '"@"',
}

function nameOfToken(token: string): string {
  return tokens[token] ?? token
}
