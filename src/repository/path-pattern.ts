import { repositoryError } from './errors.ts'

/** Whether a path of a snapshot (absolute, `/a/b`) is meant. */
export type PathMatcher = (path: string) => boolean

export interface PatternOptions {
  readonly ignoreCase?: boolean
}

/**
 * Patterns as restic reads them: `*` and `?` stay within a name, `**` stands for any number of names, `[a-z]` for one character. One that begins with `/`
 * is compared with the whole path, any other with the end of it (`*.log`, `cache/*.tmp`). What matches a directory means everything in it too.
 */
export function pathMatcher(patterns: readonly string[], options: PatternOptions = {}): PathMatcher {
  const compiled = patterns.map((pattern) => compile(pattern, options))
  return (path) => compiled.some((expression) => expression.test(path))
}

/** As `pathMatcher`, but the path itself has to fit: what `find` looks for. */
export function exactMatcher(patterns: readonly string[], options: PatternOptions = {}): PathMatcher {
  const compiled = patterns.map((pattern) => compile(pattern, options, '$'))
  return (path) => compiled.some((expression) => expression.test(path))
}

function compile(pattern: string, { ignoreCase = false }: PatternOptions, end = '(?:/|$)'): RegExp {
  const trimmed = pattern.length > 1 ? pattern.replace(/\/+$/, '') : pattern
  if (trimmed === '') throw repositoryError('REPOSITORY_BAD_ARGUMENT', 'a pattern for paths is empty')
  if (trimmed === '/') return /^/
  const start = trimmed.startsWith('/') ? '^' : '(?:^|/)'
  try {
    return new RegExp(`${start}${translate(trimmed)}${end}`, ignoreCase ? 'isu' : 'su')
  } catch (cause) {
    throw repositoryError('REPOSITORY_BAD_ARGUMENT', `the pattern ${JSON.stringify(pattern)} is malformed`, { cause })
  }
}

function translate(pattern: string): string {
  const pieces = pattern.matchAll(/\*\*\/|\*\*|\*|\?|\[[!^]?\]?[^\]]*\]|\\.|[^]/gu)
  return Array.from(pieces, ([piece]) => translatePiece(piece)).join('')
}

function translatePiece(piece: string): string {
  if (piece === '**/') return '(?:[^/]*/)*'
  if (piece === '**') return '.*'
  if (piece === '*') return '[^/]*'
  if (piece === '?') return '[^/]'
  if (piece.startsWith('[') && piece.length > 2) return translateClass(piece.slice(1, -1))
  return literal(piece.length > 1 && piece.startsWith('\\') ? piece.slice(1) : piece)
}

function translateClass(inside: string): string {
  const negated = inside.startsWith('!') || inside.startsWith('^')
  const members = (negated ? inside.slice(1) : inside).replaceAll(/[\\\][&|~^]/g, String.raw`\$&`)
  return negated ? `[^/${members}]` : `[${members}]`
}

function literal(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/gu, String.raw`\$&`)
}
