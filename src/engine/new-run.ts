import type { ActionSet, ActionSetStatus, ActionStatus, State } from '../api/actionset.ts'
import type { BlueprintAction } from '../api/blueprint.ts'
import { apiVersionOf } from '../api/kind.ts'
import { names } from '../api/names.ts'
import { runKind, runName, type Run, type RunAction, type RunPhase } from '../api/run.ts'
import { readExecutionMode } from './execution-mode.ts'
import type { Plan } from './plan.ts'
import { projectStatus } from './project.ts'
import { objectsOf, readQueueRequest } from './queue-request.ts'

/** A Run as it is sent: its metadata is not yet filled in by the server. */
export type NewRun = Omit<Run, 'metadata'> & {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels: Readonly<Record<string, string>> }
}

/** The Run of an ActionSet without findings: everything that was asked, frozen, and a journal in which nothing happened yet. */
export function newRun(actionSet: ActionSet, plan: Plan): NewRun {
  const { name, namespace, uid, labels } = actionSet.metadata
  const { mode } = readExecutionMode(actionSet)
  const queue = queueOf(actionSet)
  return {
    apiVersion: apiVersionOf(runKind),
    kind: 'Run',
    metadata: {
      name: runName(uid),
      namespace,
      labels: {
        [names.actionSetUid]: uid,
        [names.unfinished]: 'true',
        ...(queue.objects ? { [names.serialized]: 'true' } : {}),
        // A label holds 63 characters, a name up to 253.
        ...(name.length <= 63 ? { [names.actionSetName]: name } : {}),
      },
    },
    spec: {
      actionSet: { name, uid, ...(labels ? { labels: { ...labels } } : {}) },
      ...(mode ? { executionMode: mode } : {}),
      ...(Object.keys(queue).length > 0 ? { queue } : {}),
      actions: [...plan.actions],
    },
    status: {
      state: 'pending',
      actions: Object.fromEntries(plan.actions.map((action, index) => [String(index), newAction(action.blueprint)])),
    },
  }
}

/** What is as usual is left out. */
function queueOf(actionSet: ActionSet): NonNullable<Run['spec']['queue']> {
  const { priority, serialize, queueTimeoutMs } = readQueueRequest(actionSet)
  const objects = serialize ? objectsOf(actionSet.spec) : []
  return {
    ...(priority === 0 ? {} : { priority }),
    ...(objects.length > 0 ? { objects } : {}),
    ...(queueTimeoutMs === undefined ? {} : { timeoutMs: queueTimeoutMs }),
  }
}

/** The status of an ActionSet that is refused: Kanister gives no actions when a Blueprint is missing, and else fails the first phase. */
export function refusedStatus(actionSet: ActionSet, plan: Plan, run: NewRun | undefined): ActionSetStatus {
  const first = plan.findings[0]
  const message = plan.findings.map((finding) => finding.message).join('; ')
  const reason = first?.stage === 'launch' ? 'Failed' : 'Invalid'
  if (first?.stage !== 'launch' || !run || plan.actions.length !== (actionSet.spec?.actions ?? []).length) {
    return { state: 'failed', reason, error: { message }, progress: {} }
  }
  const status = projectStatus(run)
  const actions = (status.actions ?? []).map((action, index) => (index === first.actionIndex ? failFirstPhase(action) : action))
  return { ...status, state: 'failed', reason, actions, error: { message } }
}

function failFirstPhase(action: ActionStatus): ActionStatus {
  const failed: State = 'failed'
  return { ...action, phases: (action.phases ?? []).map((phase, index) => (index === 0 ? { ...phase, state: failed } : phase)) }
}

function newAction(blueprint: BlueprintAction | undefined): RunAction {
  return {
    state: 'pending',
    dispatch: 1,
    fence: { owner: '', instance: '', attempt: 0 },
    phases: (blueprint?.phases ?? []).map((phase) => newPhase(phase.name)),
    ...(blueprint?.deferPhase ? { deferPhase: newPhase(blueprint.deferPhase.name) } : {}),
  }
}

function newPhase(name: string | undefined): RunPhase {
  return { name: name ?? '', state: 'pending' }
}
