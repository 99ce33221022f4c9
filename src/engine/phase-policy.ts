import { retryReasons, type RetryReason } from '../api/phase-policy.ts'
import type { BlueprintAction, BlueprintPhase } from '../api/blueprint.ts'
import type { RunPhase } from '../api/run.ts'
import { backoffMs } from '../base/backoff.ts'
import { HoldfastError } from '../base/errors.ts'
import { parseGoDuration } from '../base/go-duration.ts'

/** Time a phase has: `atMs` is when it is over. */
export interface Deadline {
  readonly atMs: number
  /** For the message: what did not end within how long. */
  readonly text: string
}

export interface DeadlineRequest {
  readonly phase: BlueprintPhase
  /** Absent for the deferred phase, which has its own time whatever the phases took. */
  readonly action?: Pick<BlueprintAction, 'timeout'> | undefined
  readonly actionName: string
  /** When this try began, and the action, in epoch ms; of a try that begins now: now. */
  readonly tryStartedMs: number
  readonly actionStartedMs: number
  /** The engine's setting. */
  readonly phaseTimeoutMs: number
}

/** The earlier of the try's own and the action's. Counted from the journal, so that a takeover gives no time anew. */
export function deadlineOfTry(request: DeadlineRequest): Deadline {
  const { phase, action, actionName, tryStartedMs, actionStartedMs, phaseTimeoutMs } = request
  const own = parseGoDuration(phase.timeout ?? '') ?? phaseTimeoutMs
  const ofTry = {
    atMs: tryStartedMs + own,
    text: `phase "${phase.name ?? ''}" (${phase.func ?? ''}) did not end within ${phase.timeout ?? `${own / 1000} s`}`,
  }
  const whole = parseGoDuration(action?.timeout ?? '')
  if (whole === undefined || actionStartedMs + whole >= ofTry.atMs) return ofTry
  const text = `the phases of action "${actionName}" did not end within ${action?.timeout}; it was in phase "${phase.name ?? ''}"`
  return { atMs: actionStartedMs + whole, text }
}

export interface RetryRequest {
  readonly phase: BlueprintPhase
  /** Absent for the deferred phase: only its own `retry` counts. */
  readonly action?: Pick<BlueprintAction, 'retry'> | undefined
  readonly journal: Pick<RunPhase, 'retries'>
  readonly error: unknown
  readonly nowMs: number
  /** Of the whole action; a wait that would go past it is not begun. */
  readonly actionEndsAtMs: number
}

const defaultBackoffMs = 10_000
const maxBackoffMs = 5 * 60_000

/** When the phase is tried again, and out of how many times; undefined when its failure stands. */
export function decideRetry(
  request: RetryRequest,
  random?: () => number,
): { readonly atMs: number; readonly limit: number } | undefined {
  const { phase, action, journal, error, nowMs, actionEndsAtMs } = request
  const policy = phase.retry ?? action?.retry
  const retries = journal.retries ?? 0
  const reason = reasonOf(error)
  if (!policy || !reason || retries >= policy.limit) return undefined
  if (!(policy.on ?? defaultReasons).includes(reason)) return undefined
  const firstMs = parseGoDuration(policy.backoff ?? '') ?? defaultBackoffMs
  const atMs = nowMs + backoffMs(retries + 1, { firstMs, maxMs: maxBackoffMs }, random)
  return atMs < actionEndsAtMs ? { atMs, limit: policy.limit } : undefined
}

const defaultReasons: readonly RetryReason[] = retryReasons.filter((reason) => reason !== 'Interrupted')

/** Undefined: nothing that a retry could be for. A cancel is obeyed, and what does not stop would run twice. */
function reasonOf(error: unknown): RetryReason | undefined {
  const code = error instanceof HoldfastError ? error.code : ''
  if (code === 'RUN_CANCELLED' || code === 'RUN_STUCK') return undefined
  if (code === 'RUN_INTERRUPTED') return 'Interrupted'
  return code === 'DEADLINE_EXCEEDED' || code.endsWith('_TIMEOUT') ? 'Timeout' : 'Error'
}
