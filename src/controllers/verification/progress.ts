import type {
  Verification,
  VerificationSpec,
  VerificationStatus,
  VerificationStep,
  VerificationStepName,
} from '../../api/verification.ts'
import { verificationSteps } from '../../api/verification.ts'
import { toRfc3339 } from '../../base/clock.ts'
import { findRecordKey } from '../../catalog/record-key.ts'

/** How a step went. */
export interface Outcome {
  readonly state: 'complete' | 'failed' | 'skipped'
  readonly message?: string
  /** Of a failure: the backup itself is no good. */
  readonly disproved?: boolean
  readonly compared?: VerificationStatus['compared']
  readonly repositories?: readonly string[]
  /** The throw-away namespace is gone. */
  readonly cleaned?: boolean
}

/** Status is read by people, and by whoever pages it. */
const longestMessage = 1_500

export function begun({ spec }: Pick<Verification, 'spec'>, now: number): VerificationStatus {
  const key = findRecordKey(spec.record)
  return {
    state: 'running',
    attempt: 1,
    startedAt: toRfc3339(now),
    attemptAt: toRfc3339(now),
    message: '',
    steps: verificationSteps.map((name) => planned(spec, name)),
    ...(key ? { backupAt: toRfc3339(key.startedAt), backup: key.id } : {}),
  }
}

function planned({ check, restore, verify }: VerificationSpec, name: VerificationStepName): VerificationStep {
  const skipped = (message: string): VerificationStep => ({ name, state: 'skipped', message })
  if (name === 'check' && !check) return skipped('not asked for')
  if ((name === 'restore' || name === 'clean') && !restore) return skipped('not asked for')
  if (name === 'verify' && !verify) return skipped('not asked for')
  if (name === 'verify' && !restore) return skipped('there is no test restore whose data could be looked at')
  return { name, state: 'pending' }
}

export function stepOf({ steps = [] }: VerificationStatus, name: VerificationStepName): VerificationStep | undefined {
  return steps.find((step) => step.name === name)
}

export function runningStep({ steps = [] }: VerificationStatus): VerificationStepName | undefined {
  return steps.find(({ state }) => state === 'running')?.name
}

export function nextStep({ steps = [] }: VerificationStatus): VerificationStepName | undefined {
  return steps.find(({ state }) => state === 'pending')?.name
}

/** `more`: what is known of the step when it begins, such as the ActionSet that it waits for. */
export function started(
  status: VerificationStatus,
  name: VerificationStepName,
  now: number,
  more: Pick<VerificationStatus, 'actionSet' | 'namespace' | 'deadline'> = {},
): VerificationStatus {
  return { ...withStep(status, { name, state: 'running' }), step: name, stepAt: toRfc3339(now), ...more }
}

export function finished(
  status: VerificationStatus,
  name: VerificationStepName,
  outcome: Outcome,
  now: number,
): VerificationStatus {
  const { actionSet: _over, stepAt, step: _done, ...rest } = status
  const ran = stepOf(status, name)?.state === 'running'
  const seconds = ran ? Math.max(0, Math.round((now - Date.parse(stepAt ?? '')) / 1_000)) : 0
  const message = outcome.message?.slice(0, longestMessage) ?? ''
  const ended = withStep(rest, { name, state: outcome.state, seconds, ...(message === '' ? {} : { message }) })
  const { namespace, ...without } = ended
  const known = {
    ...(outcome.cleaned || namespace === undefined ? without : ended),
    ...(outcome.compared ? { compared: outcome.compared } : {}),
    ...(outcome.repositories ? { repositories: [...outcome.repositories] } : {}),
  }
  return outcome.state === 'failed' ? withFailure(known, name, message, outcome.disproved === true) : known
}

/** What comes after a failure is not done, but for cleaning up. The first failure is the one that counts. */
function withFailure(
  status: VerificationStatus,
  name: VerificationStepName,
  message: string,
  disproved: boolean,
): VerificationStatus {
  const steps = (status.steps ?? []).map((step) =>
    step.state === 'pending' && step.name !== 'clean'
      ? { ...step, state: 'skipped' as const, message: `${name} failed` }
      : step,
  )
  const isFirst = !steps.some((step) => step.state === 'failed' && step.name !== name)
  const said = isFirst ? { message: `${name}: ${message}`, ...(disproved ? { disproved } : {}) } : {}
  return { ...status, steps, ...said }
}

/** Restores anew; what was found out before stays found out. */
export function again(
  { actionSet: _lost, namespace: _gone, compared: _old, ...status }: VerificationStatus,
  spec: VerificationSpec,
  now: number,
): VerificationStatus {
  const steps = (status.steps ?? []).map((step) =>
    step.state === 'running' || !['catalog', 'check'].includes(step.name) ? planned(spec, step.name) : step,
  )
  return { ...status, steps, attempt: (status.attempt ?? 1) + 1, attemptAt: toRfc3339(now) }
}

export function hasFailed({ steps = [] }: VerificationStatus): boolean {
  return steps.some(({ state }) => state === 'failed')
}

/** The data came back: what "proven restorable" means. */
export function isRestored(status: VerificationStatus): boolean {
  // A namespace that cannot be removed says nothing about the backup.
  const isGood = (status.steps ?? []).every(({ name, state }) => name === 'clean' || state !== 'failed')
  return isGood && stepOf(status, 'restore')?.state === 'complete'
}

export function ended(
  { step: _step, stepAt: _at, actionSet: _set, ...status }: VerificationStatus,
  now: number,
): VerificationStatus {
  return { ...status, state: hasFailed(status) ? 'failed' : 'complete', endedAt: toRfc3339(now) }
}

function withStep(status: VerificationStatus, changed: VerificationStep): VerificationStatus {
  return { ...status, steps: (status.steps ?? []).map((step) => (step.name === changed.name ? changed : step)) }
}
