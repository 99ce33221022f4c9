import type { ActionSet } from '../../api/actionset.ts'
import type { Verification, VerificationStatus, VerificationStepName } from '../../api/verification.ts'
import { parseGoDuration } from '../../base/go-duration.ts'
import { nextStep, runningStep, type Outcome } from './progress.ts'

/** What is to be done next for one Verification. */
export type Decision =
  | { readonly kind: 'rest'; readonly afterMs?: number }
  /** Its first write. */
  | { readonly kind: 'begin' }
  | { readonly kind: 'refuse'; readonly message: string }
  | { readonly kind: 'step'; readonly name: VerificationStepName }
  /** The ActionSet of a step has ended. */
  | { readonly kind: 'judge'; readonly name: VerificationStepName; readonly actionSet: ActionSet }
  | { readonly kind: 'settle'; readonly name: VerificationStepName; readonly outcome: Outcome }
  /** Interrupted in the middle: from clean. */
  | { readonly kind: 'again' }
  | { readonly kind: 'end' }
  | { readonly kind: 'remove' }

export interface Question {
  readonly verification: Pick<Verification, 'spec' | 'status'>
  /** The one that the step waits for, as the server has it. */
  readonly actionSet: ActionSet | undefined
  /** Verifications that run, and older ones that wait too. */
  readonly ahead: number
  /** How many may run at a time. */
  readonly atOnce: number
  /** Of those of its object that have ended, the last. */
  readonly isNewest: boolean
  readonly now: number
}

export const mostAttempts = 3
const hourMs = 3_600_000
const fallbacks = { ttl: 720 * hourMs, check: hourMs, restore: hourMs } as const

/** Pure. Nothing depends on what happened before in this process: a step that runs with nothing to wait for was interrupted. */
export function decide(question: Question): Decision {
  const { verification, now } = question
  const { spec, status = {} } = verification
  const { state = 'pending' } = status
  if (state === 'complete' || state === 'failed') return decideRemoval(question)
  if (state === 'pending') {
    if (question.ahead >= question.atOnce) return { kind: 'rest' }
    const fault = faultOf(verification)
    return fault === undefined ? { kind: 'begin' } : { kind: 'refuse', message: fault }
  }
  const name = runningStep(status)
  if (name === undefined) {
    const next = nextStep(status)
    return next === undefined ? { kind: 'end' } : { kind: 'step', name: next }
  }
  if (name === 'clean') return { kind: 'step', name }
  if (status.actionSet !== undefined) return decideWait(question, name, deadlineOf(spec, status, name), now)
  if ((status.attempt ?? 1) < mostAttempts) return { kind: 'again' }
  const message = `the engine was interrupted ${mostAttempts} times in the middle of it; see its log and memory limit, then make another Verification`
  return { kind: 'settle', name, outcome: { state: 'failed', message } }
}

function decideWait(
  { verification: { status = {} }, actionSet }: Question,
  name: VerificationStepName,
  deadline: number,
  now: number,
): Decision {
  const named = `ActionSet ${status.actionSet ?? ''}`
  if (!actionSet) return { kind: 'settle', name, outcome: { state: 'failed', message: `${named} was removed before it ended` } }
  const { state } = actionSet.status ?? {}
  if (state === 'complete' || state === 'failed') return { kind: 'judge', name, actionSet }
  if (now < deadline) return { kind: 'rest', afterMs: deadline - now }
  const message = `${named} did not end in time; what it did until then: kubectl describe actionset ${status.actionSet ?? ''}. Give it more with \`timeout\``
  return { kind: 'settle', name, outcome: { state: 'failed', message } }
}

function deadlineOf(
  { check }: Verification['spec'],
  { stepAt = '', deadline = '' }: VerificationStatus,
  name: VerificationStepName,
): number {
  return name === 'check' ? Date.parse(stepAt) + durationOf(check?.timeout, fallbacks.check) : Date.parse(deadline)
}

/** How long restore and verify may take together, in ms. */
export function restoreTimeoutMs({ restore }: Verification['spec']): number {
  return durationOf(restore?.timeout, fallbacks.restore)
}

function durationOf(text: string | undefined, fallback: number): number {
  return text === undefined || text === '' ? fallback : (parseGoDuration(text) ?? fallback)
}

/** What of the spec cannot be read. */
function faultOf({ spec }: Pick<Verification, 'spec'>): string | undefined {
  const durations = { 'check.timeout': spec.check?.timeout, 'restore.timeout': spec.restore?.timeout, ttl: spec.ttl }
  for (const [field, text] of Object.entries(durations))
    if (text !== undefined && text !== '' && parseGoDuration(text) === undefined)
      return `spec.${field} "${text}" is not a duration such as 30m or 1h30m`
  return undefined
}

function decideRemoval({ verification: { spec, status }, isNewest, now }: Question): Decision {
  const endedMs = Date.parse(status?.endedAt ?? '')
  if (isNewest || Number.isNaN(endedMs)) return { kind: 'rest' }
  const at = endedMs + durationOf(spec.ttl, fallbacks.ttl)
  return now >= at ? { kind: 'remove' } : { kind: 'rest', afterMs: at - now }
}
