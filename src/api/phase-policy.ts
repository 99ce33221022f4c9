import { parseGoDuration } from '../base/go-duration.ts'
import { integer, list, map, object, oneOf, optional, text, type TypeOf } from '../schema/build.ts'
import { check, fits } from '../schema/check.ts'

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

/** What the annotation `holdfast.dev/phase-policies` holds for an action or a phase: the same fields. */
const AnnotatedPolicy = object({
  timeout: optional(text('As the field.')),
  retry: optional(RetryPolicy),
  resume: optional(oneOf(resumeAnswers, 'As the field; of phases only.')),
})
export type AnnotatedPolicy = TypeOf<typeof AnnotatedPolicy>

const AnnotatedPolicies = map(AnnotatedPolicy, 'By `action` or `action/phase`; a deferred phase is named as any other.')

export interface ReadPolicies {
  readonly policies: Readonly<Record<string, AnnotatedPolicy>>
  readonly faults: readonly string[]
}

/** Reads the annotation. Of one with faults nothing counts: half of a policy is not what somebody relies on. */
export function readPolicies(annotation: string | undefined): ReadPolicies {
  if (annotation === undefined || annotation.trim() === '') return { policies: {}, faults: [] }
  let value: unknown
  try {
    value = JSON.parse(annotation)
  } catch {
    return { policies: {}, faults: ['is no JSON; write {"action/phase": {"timeout": "30m"}}'] }
  }
  if (!fits(AnnotatedPolicies, value)) {
    const findings = check(AnnotatedPolicies, value)
    return { policies: {}, faults: findings.map(({ at, message }) => (at === '' ? message : `${at}: ${message}`)) }
  }
  const faults = Object.entries(value).flatMap(([owner, policy]) => [
    ...policyFaults(policy).map(({ message }) => `${owner}: ${message}`),
    ...unknownFields(policy).map((name) => `${owner}: there is no field "${name}"; it has timeout, retry and resume`),
    ...(policy.resume !== undefined && !owner.includes('/')
      ? [`${owner}: resume is for phases; name one, as action/phase`]
      : []),
  ])
  return { policies: faults.length === 0 ? value : {}, faults }
}

function unknownFields(policy: object): string[] {
  return Object.keys(policy).filter((name) => !['timeout', 'retry', 'resume'].includes(name))
}
