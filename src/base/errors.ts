/**
 * What a failure means for whoever drives the work.
 *
 * - `retry`: the world may heal by itself (timeout, 503, conflict). The queue backs off and tries the same job again.
 * - `wait`: not yet (pod pending, lease held by another). Try again later; nothing is wrong.
 * - `stop`: someone must change something first. Trying again gives the same answer.
 */
export type Next = 'retry' | 'wait' | 'stop'

/** One row of a room's table of error codes. A code once shipped keeps its meaning. */
export interface ErrorSpec {
  /** Said once, for the error reference. */
  readonly summary: string
  readonly next: Next
  /** Exit code of the CLI, where it is not the common one of its `next` (75 for retry and wait, 1 for stop). */
  readonly exit?: number
}

/** Data about a failure for machines. Never a secret: details reach logs and status. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | undefined>>

export interface ErrorOptions {
  readonly cause?: unknown
  readonly details?: ErrorDetails
}

/** The one error class of the project. Branch on `code`, never on the text of `message`. */
export class HoldfastError extends Error {
  override readonly name = 'HoldfastError'
  readonly code: string
  readonly next: Next
  readonly details: ErrorDetails
  readonly exit: number

  constructor(code: string, spec: ErrorSpec, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.next = spec.next
    this.exit = spec.exit ?? (spec.next === 'stop' ? 1 : 75)
    this.details = options.details ?? {}
  }
}

/** Makes errors of one room's table: `storeError('STORE_NOT_FOUND', 'bucket "b" …')`. */
export interface ErrorMaker<Code extends string> {
  (code: Code, message: string, options?: ErrorOptions): HoldfastError
  readonly table: Readonly<Record<Code, ErrorSpec>>
  /** True if `error` carries one of the codes given (or any of this table's, when none is given). */
  is(error: unknown, ...codes: Code[]): error is HoldfastError
}

/** Declares a room's error codes; see each room's `errors.ts`. */
export function defineErrors<const Table extends Readonly<Record<string, ErrorSpec>>>(
  table: Table,
): ErrorMaker<keyof Table & string> {
  type Code = keyof Table & string
  const make = (code: Code, message: string, options?: ErrorOptions): HoldfastError =>
    new HoldfastError(code, table[code] as ErrorSpec, message, options)
  const is = (error: unknown, ...codes: Code[]): error is HoldfastError =>
    error instanceof HoldfastError && (codes.length === 0 ? error.code in table : (codes as string[]).includes(error.code))
  return Object.assign(make, { table, is })
}

/** The text of anything thrown, outermost first, causes joined by `: ` where they add something. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const own = error.message || error.name
  if (error.cause === undefined || error.cause === error) return own
  const inner = messageOf(error.cause)
  return inner === '' || own.includes(inner) ? own : `${own}: ${inner}`
}

/** What to do after `error`. Unknown errors stop: a defect of ours does not go away by trying again. */
export function nextOf(error: unknown): Next {
  return error instanceof HoldfastError ? error.next : 'stop'
}

/** Ends a switch over a union: a new member is a type error here. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value ${JSON.stringify(value)}`)
}
