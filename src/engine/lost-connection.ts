import { backoffMs } from '../base/backoff.ts'
import { kubeError } from '../kube/errors.ts'
import type { Resume } from '../functions/define.ts'
import type { Attempt } from './attempt.ts'
import { phaseAt, type PhaseAt } from './machine.ts'

/** What this attempt lost in one try of a phase. */
export interface Losses {
  readonly count: number
  /** The first one: what the phase fails with when it cannot go on. */
  readonly error: unknown
}

/** So often one attempt goes on with one try of a phase. Each start of a command waits ten minutes for its node by itself. */
const mostLosses = 5
const backoff = { firstMs: 1_000, maxMs: 15_000 }

/**
 * The connection to a command in a container broke: its kubelet was killed, or the way to it. Nothing of the engine died, but for the phase it is the
 * same as if it had, so it goes on in the same way, where its function can. What adopts has sought its command by itself.
 */
export function canGoOnAfter(attempt: Attempt, at: PhaseAt, error: unknown, resume: Resume | undefined): boolean {
  const isLost =
    kubeError.is(error, 'KUBE_EXEC_LOST') || (kubeError.is(error, 'KUBE_EXEC_OUTPUT_LOST') && error.details['cut'] === true)
  if (!isLost || attempt.cancel.aborted || (resume !== 'continue' && resume !== 'restart')) return false
  const known = attempt.losses.get(keyOf(attempt, at))
  if ((known?.count ?? 0) >= mostLosses) return false
  attempt.losses.set(keyOf(attempt, at), { count: (known?.count ?? 0) + 1, error: known?.error ?? error })
  return true
}

/** The phase that ran stays `running` in the journal: the next step takes it for one to resume. */
export async function waitAfterLoss(attempt: Attempt, at: PhaseAt): Promise<void> {
  const { deps, stop, cancel } = attempt
  const waitMs = backoffMs(lossesOf(attempt, at)?.count ?? 1, backoff)
  // Who wants the end of it is met by the next step.
  await deps.clock.sleep(waitMs, AbortSignal.any([stop, cancel])).catch(() => undefined)
}

export function lossesOf(attempt: Attempt, at: PhaseAt): Losses | undefined {
  return attempt.losses.get(keyOf(attempt, at))
}

function keyOf({ journal }: Attempt, at: PhaseAt): string {
  return `${at}/${phaseAt(journal.action, at).round ?? 1}`
}
