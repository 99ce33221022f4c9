import type { ActionSet, ActionSetStatus, ActionStatus } from '../../api/actionset.ts'
import { names } from '../../api/names.ts'
import type { Run } from '../../api/run.ts'
import { isJournal } from '../../engine/project.ts'
import type { Live } from '../../kube/objects.ts'
import { isMarkedFinished } from './decide.ts'
import { foreignIn, foreignOf } from './foreign-backups.ts'
import { remainsOf } from './remains.ts'
import type { Remains } from './removal.ts'

/**
 * What the caches keep. Ten thousand finished ActionSets must cost little, so a settled one keeps its name and state only, and
 * so does a finished Run.
 */
export function keepOfActionSet(actionSet: Live<ActionSet>): Live<ActionSet> {
  if (!isSettled(actionSet)) return actionSet
  const { name, namespace, uid, resourceVersion, creationTimestamp } = actionSet.metadata
  const { apiVersion, kind, status } = actionSet
  const foreign = foreignIn(actionSet) ?? foreignOf(actionSet)
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    status: { state: status?.state ?? '' },
    remains: remainsIn(actionSet) ?? remainsOf(actionSet),
    ...(foreign ? { foreign } : {}),
  } as Live<ActionSet>
}

/** What is kept of a settled ActionSet to say when it may go. */
export function remainsIn(actionSet: Live<ActionSet>): Remains | undefined {
  return (actionSet as { readonly remains?: Remains }).remains
}

export function keepOfRun(run: Live<Run>): Live<Run> {
  if (!isJournal(run)) return notOurs(run)
  if (!isMarkedFinished(run)) return run
  const { name, namespace, uid, resourceVersion, creationTimestamp, labels } = run.metadata
  const { apiVersion, kind, spec, status } = run
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp, labels },
    spec: { actionSet: { name: spec.actionSet.name, uid: spec.actionSet.uid }, actions: [] },
    status: { state: status.state, actions: {}, ...(status.endedAt ? { endedAt: status.endedAt } : {}) },
  } as Live<Run>
}

/** What is no journal counts as one that has ended, and is left alone. */
function notOurs({ apiVersion, kind, metadata }: Live<Run>): Live<Run> {
  const labels = { ...metadata.labels, [names.unfinished]: 'false' }
  const spec = { actionSet: { name: metadata.name, uid: '' }, actions: [] }
  return { apiVersion, kind, metadata: { ...metadata, labels }, spec, status: { state: 'failed', actions: {} } } as Live<Run>
}

/** True when the cache keeps only that a Run has ended. */
export function isStripped(run: Run): boolean {
  return run.spec.actions.length === 0
}

/**
 * Nothing will change in its status any more. A failed one may not be there yet: it is failed as soon as one phase is, while
 * its deferred phase and the other actions go on.
 */
export function isSettled({ status }: Pick<ActionSet, 'status'>): boolean {
  if (status?.state === 'complete') return true
  return status?.state === 'failed' && !(status.actions ?? []).some(goesOn)
}

/** True if `is` says less than the status that is there, or may do so: it was made from an older Run. */
export function goesBack({ status: was }: Pick<ActionSet, 'status'>, is: ActionSetStatus): boolean {
  // Of a settled one nothing else is kept.
  if (isSettled({ ...(was ? { status: was } : {}) })) return true
  const statesOf = (status: ActionSetStatus | undefined): (string | undefined)[] => [
    status?.state,
    ...(status?.actions ?? []).flatMap(({ phases = [], deferPhase }) => [
      ...phases.map(({ state }) => state),
      deferPhase?.state,
    ]),
  ]
  const after = statesOf(is)
  return statesOf(was).some((state, index) => rankOf(state) > rankOf(after[index]))
}

function rankOf(state: string | undefined): number {
  if (state === 'complete' || state === 'failed') return 2
  return state === 'running' ? 1 : 0
}

function goesOn(action: ActionStatus): boolean {
  const { phases = [], deferPhase } = action
  const failed = phases.some((phase) => phase.state === 'failed')
  const all = deferPhase && deferPhase.name !== '' ? [...phases, deferPhase] : phases
  if (all.some((phase) => phase.state === 'running')) return true
  if (failed) return deferPhase?.state === 'pending' && deferPhase.name !== ''
  return all.some((phase) => phase.state === 'pending') || isToPublish(action)
}

/** Of several actions one failed, and this one has done its work but not yet shown its artifacts, or cannot. */
function isToPublish({ phases = [], artifacts }: ActionStatus): boolean {
  return phases.every((phase) => phase.state === 'complete') && JSON.stringify(artifacts ?? {}).includes('{{')
}
