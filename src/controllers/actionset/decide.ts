import type { ActionSet, ActionSetStatus } from '../../api/actionset.ts'
import { names } from '../../api/names.ts'
import type { Fence, Run, RunAction } from '../../api/run.ts'
import type { NewRun } from '../../engine/new-run.ts'
import { newRun, refusedStatus } from '../../engine/new-run.ts'
import type { Plan } from '../../engine/plan.ts'
import { actionsOf, isFinished, projectStatus, stateOf } from '../../engine/project.ts'
import { isBarred, suspendedPhase } from '../../engine/turn.ts'
import { toRfc3339 } from '../../base/clock.ts'
import type { Live } from '../../kube/objects.ts'
import type { Verdict } from './waiting-line.ts'

/** Everything there is under one name, read at one time. */
export interface View {
  readonly actionSet?: Live<ActionSet>
  /** The Run of that very ActionSet (by UID). */
  readonly run?: Live<Run>
  /** Unfinished Runs of earlier ActionSets of that name, which are gone. */
  readonly orphans: readonly Live<Run>[]
  /** Looked at only when a Run is to be made. */
  readonly plan?: Plan
  /** False: a Run made now would have to wait. */
  readonly admitted?: boolean
  /** How each Run stands in the queue. */
  readonly verdictOn: (run: Live<Run>) => Verdict
  readonly nowMs: number
  readonly isGone: (fence: Fence) => boolean
}

export type Change =
  | { readonly kind: 'create-run'; readonly run: NewRun }
  /** A status that nothing more will come after, unless `run` is there. */
  | { readonly kind: 'status'; readonly status: ActionSetStatus; readonly why: string; readonly warning?: Refusal }
  | { readonly kind: 'cancel'; readonly run: Live<Run>; readonly why: string }
  /** Ends an action that was never launched and that nobody has. */
  | {
      readonly kind: 'drop-action'
      readonly run: Live<Run>
      readonly actionIndex: number
      readonly why: string
      readonly code?: string
    }
  /** Takes an action from a worker that is gone. */
  | { readonly kind: 'free-action'; readonly run: Live<Run>; readonly actionIndex: number }
  | { readonly kind: 'add-job'; readonly run: Live<Run>; readonly actionIndex: number; readonly lane: number }
  /** Lets a Run that waited begin, or makes one wait that must and has not begun. */
  | { readonly kind: 'admit' | 'hold'; readonly run: Live<Run> }
  /** A person lets the phase go on. */
  | { readonly kind: 'approve'; readonly run: Live<Run>; readonly actionIndex: number; readonly phaseIndex: number }
  /** All actions have ended, but two at once: neither ended the Run. */
  | { readonly kind: 'end-run'; readonly run: Live<Run> }

/** An Event beside a refused ActionSet, with Kanister's reasons. */
export interface Refusal {
  readonly reason: string
  readonly message: string
}

/** What to change, and why. Pure; the first change that alters a Run ends the list for that Run: its answer is looked at anew. */
export function decide(view: View): Change[] {
  const { actionSet, run, orphans } = view
  const ofOrphans = orphans.flatMap((orphan) => decideRun(view, orphan, 'its ActionSet was deleted'))
  if (!actionSet) return ofOrphans
  if (!run) return [...ofOrphans, ...decideNew(view, actionSet)]
  if (seemsTooLate(actionSet, run)) return [...ofOrphans, ...decideRun(view, run, 'its ActionSet had ended before it was made')]
  const why = actionSet.metadata.annotations?.[names.cancel] === 'true' ? cancelReason : undefined
  const ofRun = isFinished(run) && isMarkedFinished(run) ? [] : decideRun(view, run, why)
  return [...ofOrphans, ...ofRun, { kind: 'status', status: statusOf(view, run), why: 'the Run says so' }]
}

/**
 * An operator that slept may make a Run after the next one has refused its ActionSet: what has ended does not begin. A Run that
 * lags behind its ActionSet in our caches looks the same, so this is to be asked of the server's.
 */
export function seemsTooLate({ status }: Pick<ActionSet, 'status'>, run: Run): boolean {
  const ended = status?.state === 'complete' || status?.state === 'failed'
  return ended && stateOf(actionsOf(run)) === 'pending'
}

/** The Run's picture, and what of the queue is not in it. */
function statusOf({ verdictOn }: View, run: Live<Run>): ActionSetStatus {
  const status = projectStatus(run)
  if (status.state !== 'pending' || run.status.cancel) return status
  const { waiting } = verdictOn(run)
  return waiting ? { ...status, waiting } : status
}

export function isMarkedFinished(run: Pick<Run, 'metadata'>): boolean {
  return run.metadata.labels?.[names.unfinished] === 'false'
}

/** An ActionSet without a Run: it is new, or it came from elsewhere (restored, or left by Kanister). */
function decideNew({ plan, admitted, nowMs }: View, actionSet: ActionSet): Change[] {
  const state = actionSet.status?.state
  if (state === 'complete' || state === 'failed') return []
  if (state === 'running') return [{ kind: 'status', ...notOurs(actionSet) }]
  const cancelled = actionSet.metadata.annotations?.[names.cancel] === 'true'
  const runnable = plan && plan.findings.length === 0 && plan.actions.length > 0
  if (cancelled && runnable) return [{ kind: 'create-run', run: cancelledRun(actionSet, plan, nowMs) }]
  if (cancelled) {
    const message = 'cancelled before it started'
    return [
      { kind: 'status', why: message, status: { state: 'failed', reason: 'Cancelled', error: { message }, progress: {} } },
    ]
  }
  if (!plan) return []
  if (plan.findings.length > 0) return [refuse(actionSet, plan)]
  if (plan.actions.length === 0)
    return [{ kind: 'status', why: 'it has no actions', status: { state: 'complete', error: { message: '' }, progress: {} } }]
  const run = newRun(actionSet, plan)
  const held = admitted === false ? { held: { since: toRfc3339(nowMs) } } : {}
  return [{ kind: 'create-run', run: { ...run, status: { ...run.status, ...held } } }]
}

/**
 * That we know of no Run does not mean that there is none: the answer to its create may have been lost, and a worker may have it by now (found by
 * the simulation). So the end of an ActionSet that could have begun always comes from its Run, of which there is only one.
 */
function cancelledRun(actionSet: ActionSet, plan: Plan, nowMs: number): NewRun {
  const run = newRun(actionSet, plan)
  const labels = { ...run.metadata.labels, [names.cancel]: 'true' }
  const cancel = { reason: cancelReason, at: toRfc3339(nowMs) }
  return { ...run, metadata: { ...run.metadata, labels }, status: { ...run.status, cancel } }
}

const cancelReason = `annotation ${names.cancel}`

/** An ActionSet runs once. What somebody else began has side effects that we know nothing of. */
function notOurs(actionSet: ActionSet): Omit<Extract<Change, { kind: 'status' }>, 'kind'> {
  const message =
    'not started by this engine: it was restored, or an engine that is gone left it running; create the ActionSet again to run it'
  const actions = actionSet.status?.actions
  return {
    why: message,
    status: { state: 'failed', reason: 'Interrupted', ...(actions ? { actions } : {}), error: { message }, progress: {} },
    warning: { reason: 'Error', message },
  }
}

function refuse(actionSet: ActionSet, plan: Plan): Change {
  const complete = plan.actions.length === (actionSet.spec?.actions ?? []).length
  const status = refusedStatus(actionSet, plan, complete ? newRun(actionSet, plan) : undefined)
  return {
    kind: 'status',
    status,
    why: 'it cannot run as it is',
    warning: refusalOf(actionSet, plan, status.error?.message ?? ''),
  }
}

function refusalOf(actionSet: ActionSet, plan: Plan, message: string): Refusal {
  const first = plan.findings[0]
  const action = actionSet.spec?.actions?.[first?.actionIndex ?? 0]?.name ?? ''
  switch (first?.stage) {
    case 'init':
      if (message.startsWith('Blueprint is not specified'))
        return { reason: 'Blueprint not specified', message: `Could not get blueprint: ${message}` }
      if (message.startsWith('Failed to query blueprint'))
        return { reason: 'Error', message: `Could not get blueprint: ${message}` }
      return { reason: `ActionSetFailed Action: ${action}`, message: `Could not get initial action: ${message}` }
    case 'launch':
      return {
        reason: `ActionSetFailed Action: ${action}`,
        message: `Failed to launch Action ${actionSet.metadata.name}: ${message}`,
      }
    default:
      return { reason: 'Error', message }
  }
}

function decideRun(view: View, run: Live<Run>, cancelWhy: string | undefined): Change[] {
  if (cancelWhy !== undefined && !run.status.cancel && !isFinished(run)) return [{ kind: 'cancel', run, why: cancelWhy }]
  if (isFinished(run)) return isMarkedFinished(run) ? [] : [{ kind: 'end-run', run }]
  const verdict = view.verdictOn(run)
  const writes = actionsOf(run).flatMap((action, actionIndex) => decideWrite(view, run, verdict, action, actionIndex))
  const first = writes[0]
  if (first) return [first]
  if (verdict.step === 'admit' || verdict.step === 'hold') return [{ kind: verdict.step, run }]
  if (verdict.step === 'stay') return []
  return actionsOf(run).flatMap((action, actionIndex) => {
    const lane = verdict.lanes.get(actionIndex)
    return isOpen(action) && action.fence.owner === '' && lane !== undefined
      ? [{ kind: 'add-job' as const, run, actionIndex, lane }]
      : []
  })
}

function decideWrite(view: View, run: Live<Run>, verdict: Verdict, action: RunAction, actionIndex: number): Change[] {
  if (!isOpen(action)) return []
  const unowned = action.fence.owner === ''
  if (unowned && !action.launched && run.status.cancel) {
    return [{ kind: 'drop-action', run, actionIndex, why: `cancelled before it started: ${run.status.cancel.reason}` }]
  }
  if (unowned && isBarred(run, actionIndex)) {
    return [{ kind: 'drop-action', run, actionIndex, why: 'not begun: an action before it in the sequence failed' }]
  }
  if (verdict.expired && unowned && !hasBegun(run)) {
    return [{ kind: 'drop-action', run, actionIndex, why: verdict.expired, code: 'RUN_QUEUE_TIMEOUT' }]
  }
  const suspended = suspendedPhase(action)
  if (unowned && suspended && !run.status.cancel && isApproved(view, run, suspended.name)) {
    return [{ kind: 'approve', run, actionIndex, phaseIndex: suspended.at }]
  }
  return view.isGone(action.fence) ? [{ kind: 'free-action', run, actionIndex }] : []
}

/** Some action of it was launched or is owned, or has ended otherwise than by its wait. */
function hasBegun(run: Live<Run>): boolean {
  return actionsOf(run).some(
    ({ launched, fence, state, error }) =>
      launched || fence.owner !== '' || state === 'complete' || (error && error.code !== 'RUN_QUEUE_TIMEOUT'),
  )
}

function isApproved({ actionSet }: View, run: Live<Run>, phase: string): boolean {
  if (actionSet?.metadata.uid !== run.spec.actionSet.uid) return false
  const approved = (actionSet.metadata.annotations?.[names.approve] ?? '').split(/[\s,]+/)
  return approved.includes('true') || approved.includes(phase)
}

function isOpen(action: RunAction): boolean {
  return action.state === 'pending' || action.state === 'running'
}
