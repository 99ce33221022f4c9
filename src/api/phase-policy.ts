import { parseGoDuration } from '../base/go-duration.ts'
import { integer, list, object, oneOf, optional, text, type TypeOf } from '../schema/build.ts'

/** Kinds of failure that a retry may be for. */
export const retryReasons = ['Error', 'Timeout', 'Interrupted'] as const
export type RetryReason = (typeof retryReasons)[number]

export const RetryPolicy = object(
  {
    limit: integer('Times to try again.', { minimum: 0, maximum: 100 }),
    backoff: optional(text('First wait, as a Go duration; doubled each time, with jitter, at most 5m. 10s when absent.')),
    on: optional(list(oneOf(retryReasons, 'A kind of failure.'), 'What is tried again. Error and Timeout when absent.')),
  },
  'Whether a phase that failed is tried again.',
)
export type RetryPolicy = TypeOf<typeof RetryPolicy>

/** Answers of a Blueprint to a crash of the engine, in place of the function's own. */
export const resumeAnswers = ['restart', 'refuse'] as const

/** Something in the fields `timeout` and `retry` that cannot be, and where below their owner it stands. */
export interface PolicyFault {
  readonly path: readonly string[]
  readonly message: string
}

/** Of a phase or an action. Shapes are the schema's business; whatever has another is passed over here. */
export function policyFaults({
  timeout,
  retry,
}: {
  readonly timeout?: unknown
  readonly retry?: unknown
}): readonly PolicyFault[] {
  const backoff = typeof retry === 'object' && retry !== null && 'backoff' in retry ? retry.backoff : undefined
  return [...durationFaults(['timeout'], timeout, 1), ...durationFaults(['retry', 'backoff'], backoff, 0)]
}

function durationFaults(path: readonly string[], value: unknown, least: number): PolicyFault[] {
  if (typeof value !== 'string') return []
  const ms = parseGoDuration(value)
  if (ms !== undefined && ms >= least) return []
  return [{ path, message: `${path.join('.')} "${value.slice(0, 40)}" is no duration; write it as 90s, 30m or 1h30m` }]
}
