import type { HoldfastError } from '../../base/errors.ts'
import { templateError } from '../errors.ts'
import type { Place } from './tree.ts'

export type FailureCode = 'TEMPLATE_PARSE' | 'TEMPLATE_UNKNOWN_VARIABLE' | 'TEMPLATE_EXEC' | 'TEMPLATE_LIMIT'

export interface FailureOptions {
  readonly path?: string
  readonly cause?: unknown
}

/** An error that says where, what and the way out, and shows the line with a mark under the place. */
export function failure(
  code: FailureCode,
  source: string,
  place: Place,
  message: string,
  options: FailureOptions = {},
): HoldfastError {
  const { path, cause } = options
  const text = `template line ${place.line}, column ${place.column}: ${message}\n${marked(source, place)}`
  return templateError(code, text, {
    ...(cause === undefined ? {} : { cause }),
    details: { line: place.line, column: place.column, ...(path === undefined ? {} : { path }) },
  })
}

/** The line and the mark under it, cut to what is around the place. */
function marked(source: string, place: Place): string {
  const line = source.split(/\r?\n/)[place.line - 1] ?? ''
  const from = Math.max(0, place.column - 60)
  const shown = line.slice(from, from + 110).replaceAll('\t', ' ')
  return `  | ${shown}\n  | ${' '.repeat(Math.max(0, place.column - 1 - from))}^`
}
