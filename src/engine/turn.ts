import type { Run, RunAction } from '../api/run.ts'
import { isEnded, suspendedPhase } from './machine.ts'
import { actionsOf } from './project.ts'

export { suspendedPhase }

/** True if the action may run now: all of them at once as in Kanister, or, when asked for, each after the one before it. */
export function isItsTurn(run: Pick<Run, 'spec' | 'status'>, actionIndex: number): boolean {
  if (run.spec.executionMode !== 'Sequential') return true
  return actionsOf(run)
    .slice(0, actionIndex)
    .every((action) => action.state === 'complete')
}

/** In a sequence, what comes after a failure is not begun any more. */
export function isBarred(run: Pick<Run, 'spec' | 'status'>, actionIndex: number): boolean {
  if (run.spec.executionMode !== 'Sequential') return false
  const action = actionsOf(run)[actionIndex]
  return (
    !action?.launched &&
    actionsOf(run)
      .slice(0, actionIndex)
      .some((before) => before.state === 'failed')
  )
}

/** True while a phase of the action waits for approval; a cancel ends that wait. */
export function isParked(run: Pick<Run, 'spec' | 'status'>, actionIndex: number): boolean {
  const action = actionsOf(run)[actionIndex]
  return action !== undefined && run.status.cancel === undefined && suspendedPhase(action) !== undefined
}

/**
 * True if another start of the same worker has the action. An earlier one as long as our Lease is ours; a later one when we slept
 * while another was started in our place.
 */
export function isLeftBehind(
  { fence }: Pick<RunAction, 'fence'>,
  me: { readonly name: string; readonly instance: string },
): boolean {
  return fence.owner === me.name && fence.instance !== me.instance
}

/** True while the Run may not begin; of one that has begun the mark means nothing any more. */
export function isHeld(run: Pick<Run, 'spec' | 'status'>): boolean {
  return run.status.held !== undefined && !actionsOf(run).some(({ launched }) => launched)
}

/** True if a worker of this name may take the action: nobody has it, or an earlier start of the same worker had it. */
export function isFree({ fence }: Pick<RunAction, 'fence'>, me: { readonly name: string; readonly instance: string }): boolean {
  return fence.owner === '' || isLeftBehind({ fence }, me)
}

/** Actions of the Run that such a worker may take now. */
export function claimable(
  run: Pick<Run, 'spec' | 'status'>,
  me: { readonly name: string; readonly instance: string },
): number[] {
  if (isHeld(run)) return []
  return actionsOf(run).flatMap((action, index) =>
    !isEnded(action) && isFree(action, me) && isItsTurn(run, index) && !isBarred(run, index) && !isParked(run, index)
      ? [index]
      : [],
  )
}
