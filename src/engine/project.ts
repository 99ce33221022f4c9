import type { ActionSetProgress, ActionSetStatus, ActionStatus, PhaseProgress, PhaseStatus, State } from '../api/actionset.ts'
import { names } from '../api/names.ts'
import type { ObjectReference } from '../api/object-reference.ts'
import type { Run, RunAction, RunActionSpec, RunPhase } from '../api/run.ts'
import { cancelFailure, isEnded, suspendedPhase } from './machine.ts'

/**
 * Run → status of its ActionSet, in Kanister's fields. Pure, so that whoever holds the Run can make the status again: it is
 * never more than a picture of the Run.
 */
export function projectStatus(run: Pick<Run, 'spec' | 'status'>): ActionSetStatus {
  const actions = actionsOf(run)
  const state = stateOf(actions)
  const warnings = actions.flatMap(warningsOf)
  const message = actions.findLast((action) => action.error)?.error?.message ?? ''
  const reason = state === 'failed' ? reasonOf(actions) : undefined
  return {
    state,
    ...(reason ? { reason } : {}),
    ...(actions.length > 0 ? { actions: actions.map((action, index) => projectAction(specOf(run, index), action)) } : {}),
    error: { message },
    progress: projectProgress(actions),
    ...(warnings.length > 0 ? { warnings } : {}),
    ...projectApproval(run, actions),
    ...(state === 'complete' && isCatalogued(actions) ? { catalogued: true } : {}),
  }
}

function isCatalogued(actions: readonly RunAction[]): boolean {
  const backups = actions.filter(({ artifacts }) => Object.keys(artifacts ?? {}).length > 0)
  return backups.length > 0 && backups.every(({ record }) => record !== undefined && record !== '')
}

/** An approval that is waited for. What else an ActionSet waits for is not in its Run: the operator adds it. */
function projectApproval(run: Pick<Run, 'spec' | 'status'>, actions: readonly RunAction[]): Pick<ActionSetStatus, 'waiting'> {
  const found = actions.map((action) => (isEnded(action) ? undefined : suspendedPhase(action))).find((phase) => phase)
  if (!found || run.status.cancel) return {}
  const { name } = run.spec.actionSet
  const message =
    `phase "${found.name}" waits for approval: holdfast approve ${name} --phase ${found.name}, ` +
    `or kubectl annotate actionset ${name} ${names.approve}=${found.name}`
  return { waiting: { for: 'Approval', message, phase: found.name } }
}

/**
 * False for what is no journal of ours: a Run that a backup tool brought back without its status, or that somebody wrote by hand. Nobody may
 * act on it, and it must keep nobody from the others.
 */
export function isJournal({ spec, status }: Partial<Pick<Run, 'spec' | 'status'>>): boolean {
  if (!spec?.actionSet?.uid || !Array.isArray(spec.actions) || !status?.actions) return false
  return spec.actions.every((_, index) => {
    const { fence, phases, state } = (status.actions[String(index)] ?? {}) as Partial<RunAction>
    return state !== undefined && fence?.owner !== undefined && Array.isArray(phases)
  })
}

/** The actions of a Run in the order of the ActionSet. */
export function actionsOf(run: Pick<Run, 'spec' | 'status'>): readonly RunAction[] {
  return run.spec.actions.map((_, index) => {
    const action = run.status.actions[String(index)]
    if (!action) throw new RangeError(`the Run of ActionSet ${run.spec.actionSet.name} has no journal of action ${index}`)
    return action
  })
}

/** As in Kanister, one failed action makes the whole failed at once while the others go on. */
export function stateOf(actions: readonly RunAction[]): State {
  if (actions.some((action) => action.state === 'failed' || action.error !== undefined)) return 'failed'
  if (actions.every((action) => action.state === 'complete')) return 'complete'
  return actions.some((action) => action.state !== 'pending') ? 'running' : 'pending'
}

/** True when nothing of the Run is left to do. */
export function isFinished(run: Pick<Run, 'spec' | 'status'>): boolean {
  return actionsOf(run).every(isEnded)
}

export function reasonOf(actions: readonly RunAction[]): 'Cancelled' | 'Interrupted' | 'Failed' {
  if (actions.some(wasCancelled)) return 'Cancelled'
  return actions.some((action) => action.error?.code === 'RUN_INTERRUPTED') ? 'Interrupted' : 'Failed'
}

function wasCancelled(action: RunAction): boolean {
  if (action.state === 'complete' || !action.cancelled) return action.error?.code === cancelFailure.code
  return !action.launched || action.phases.some((phase) => phase.state !== 'complete')
}

function specOf(run: Pick<Run, 'spec'>, index: number): RunActionSpec {
  return run.spec.actions[index] as RunActionSpec
}

function projectAction(spec: RunActionSpec, action: RunAction): ActionStatus {
  const templates = spec.blueprint?.outputArtifacts
  const artifacts = action.state === 'complete' ? (action.artifacts ?? templates) : templates
  return {
    name: spec.action.name ?? '',
    object: withEveryField(spec.action.object ?? {}),
    blueprint: spec.action.blueprint ?? '',
    ...(action.phases.length > 0 ? { phases: action.phases.map(projectPhase) } : {}),
    ...(artifacts ? { artifacts } : {}),
    deferPhase: action.deferPhase ? projectPhase(action.deferPhase) : { name: '', state: '', progress: {} },
  } as ActionStatus
}

/** Kanister's type serialises these five even when they are empty. */
function withEveryField(object: ObjectReference): ObjectReference {
  return { apiVersion: '', group: '', resource: '', kind: '', name: '', ...object }
}

function projectPhase(phase: RunPhase): PhaseStatus {
  const hasOutput = phase.output !== undefined && Object.keys(phase.output).length > 0
  return {
    name: phase.name,
    state: phase.state,
    ...(hasOutput ? { output: phase.output as Record<string, unknown> } : {}),
    progress: phase.progress ?? {},
  }
}

const sizes = ['sizeDownloadedB', 'sizeUploadedB', 'estimatedDownloadSizeB', 'estimatedUploadSizeB'] as const

function projectProgress(actions: readonly RunAction[]): ActionSetProgress {
  const running = actions.map(runningPhaseOf).findLast((name) => name !== undefined)
  const phases = actions.flatMap((action) => action.phases)
  const progress = phases.flatMap((phase) => phase.progress ?? [])
  const times = progress.flatMap((each) => each.lastTransitionTime ?? []).toSorted()
  const sums = sizes.map((field) => [field, progress.reduce((sum, each) => sum + (each[field] ?? 0), 0)] as const)
  const percent = percentOf(progress, phases.length)
  const last = times.at(-1)
  return {
    ...(running !== undefined ? { runningPhase: running } : {}),
    ...(percent !== undefined ? { percentCompleted: percent } : {}),
    ...Object.fromEntries(sums.filter(([, sum]) => sum > 0)),
    ...(last !== undefined ? { lastTransitionTime: last } : {}),
  }
}

/** Cleared at the end, also after a failure: Kanister leaves the deferred phase's name there, which nobody relies on. */
function runningPhaseOf(action: RunAction): string | undefined {
  if (isEnded(action)) return undefined
  return [...action.phases, ...(action.deferPhase ? [action.deferPhase] : [])].find((phase) => phase.state === 'running')?.name
}

/** floor(sum of the percents / number of phases of all actions); absent until a phase has one. */
function percentOf(progress: readonly PhaseProgress[], phaseCount: number): string | undefined {
  const percents = progress.flatMap((each) => (each.progressPercent === undefined ? [] : [Number(each.progressPercent)]))
  if (percents.length === 0 || phaseCount === 0) return undefined
  const sum = percents.reduce((total, percent) => total + (Number.isFinite(percent) ? percent : 0), 0)
  return String(Math.floor(sum / phaseCount))
}

function warningsOf(action: RunAction): string[] {
  const phases = [...action.phases, ...(action.deferPhase ? [action.deferPhase] : [])]
  const ofPhases = phases.flatMap((phase) => (phase.warnings ?? []).map((message) => `${phase.name}: ${message}`))
  return [...ofPhases, ...(action.warnings ?? [])]
}
