import type { Artifacts } from '../api/artifact.ts'
import type { PhaseProgress } from '../api/actionset.ts'
import type { FrozenInputs, RunAction, RunFailure, RunPhase } from '../api/run.ts'
import { assertNever } from '../base/errors.ts'

/**
 * One action of an ActionSet as a reducer: no clock, no I/O. Its state is the journal entry of the action (`RunAction`), so
 * what a process knows and what survives it are the same value; `nextStep` reads from it alone what comes next.
 *
 * | where the action is | what is true | what leaves it |
 * | --- | --- | --- |
 * | queued | state pending, not launched; nothing was done outside | launched, launchFailed, cancelled |
 * | suspended | between phases, and the next one waits for approval; nobody owns the action | approved (in the journal), cancelled |
 * | between phases | launched; phases before the next one complete | phaseStarted, suspended, cancelled |
 * | in a phase | one phase running; its side effects may have happened | phaseEnded, phaseFailed (also on cancel, timeout) |
 * | deferring | all phases complete, or one failed, or cancelled; the deferred phase pending or running | deferred phase ended or failed |
 * | publishing | nothing failed; artifacts not rendered or record not written | artifactsRendered, artifactsFailed, recorded, recordFailed |
 * | ended | state complete or failed; nothing changes any more | nothing |
 *
 * Once launched, the only way to the end leads through the deferred phase.
 */
export interface ActionState {
  readonly plan: ActionPlan
  readonly action: RunAction
}

/** What of the frozen Blueprint the machine must know. */
export interface ActionPlan {
  readonly actionSetName: string
  readonly actionName: string
  readonly hasArtifacts: boolean
  /** A record is written beside the data: the action has output artifacts and a Profile. */
  readonly wantsRecord: boolean
  /** Indexes of the phases that wait for approval. */
  readonly suspends?: readonly number[]
}

export type PhaseAt = number | 'defer'

export type MachineEvent =
  | { readonly type: 'claimed'; readonly owner: string; readonly instance: string }
  | { readonly type: 'released' }
  | {
      readonly type: 'launched'
      readonly now: string
      readonly inputs: FrozenInputs
      /** Rendered references per phase. */
      readonly objects: readonly (RunPhase['objects'] | undefined)[]
      readonly deferObjects?: RunPhase['objects']
    }
  | { readonly type: 'launchFailed'; readonly failure: RunFailure }
  | { readonly type: 'suspended'; readonly at: number; readonly now: string }
  | {
      readonly type: 'phaseStarted'
      readonly at: PhaseAt
      readonly now: string
      readonly configMaps?: RunPhase['configMaps']
      /** It does not go on from where an earlier attempt was. */
      readonly anew?: boolean
      /** The first one, of what must be known before anything is done. */
      readonly checkpoint?: unknown
    }
  | { readonly type: 'checkpointed'; readonly at: PhaseAt; readonly checkpoint: unknown }
  | { readonly type: 'progressed'; readonly at: PhaseAt; readonly progress: PhaseProgress }
  | { readonly type: 'warned'; readonly at?: PhaseAt; readonly message: string }
  | { readonly type: 'phaseEnded'; readonly at: PhaseAt; readonly now: string; readonly output?: RunPhase['output'] }
  | {
      /** It failed, and is tried again at `retryAt`. */
      readonly type: 'phaseRetried'
      readonly at: PhaseAt
      readonly retryAt: string
      readonly limit: number
      readonly failure: RunFailure
    }
  | { readonly type: 'phaseFailed'; readonly at: PhaseAt; readonly now: string; readonly failure: RunFailure }
  | { readonly type: 'cancelled' }
  | { readonly type: 'artifactsRendered'; readonly artifacts: Artifacts }
  | { readonly type: 'artifactsFailed'; readonly failure: RunFailure }
  | { readonly type: 'recorded'; readonly key: string; readonly warning?: string }
  | { readonly type: 'recordFailed'; readonly message: string }
  | { readonly type: 'finished'; readonly now: string }

/** A Kubernetes Event to send after the write that it reports. */
export interface Note {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

export interface Reduced {
  readonly state: ActionState
  readonly effects: readonly Note[]
}

export type Step =
  | { readonly kind: 'launch' }
  /** `resumed`: the journal says that it ran already when this attempt took over. A phase that waits to be tried again is not. */
  | { readonly kind: 'phase'; readonly at: PhaseAt; readonly resumed: boolean }
  /** The phase wants an approval that is not there: give the action free until it is. */
  | { readonly kind: 'suspend'; readonly at: number }
  | { readonly kind: 'artifacts' }
  | { readonly kind: 'record' }
  | { readonly kind: 'finish' }
  | { readonly kind: 'end' }

/** What comes next, from the journal alone. Not to be asked while a phase of this attempt runs. */
export function nextStep({ plan, action }: ActionState): Step {
  if (isEnded(action)) return { kind: 'end' }
  if (!action.launched) return action.cancelled || action.error ? { kind: 'finish' } : { kind: 'launch' }
  const at = action.phases.findIndex((phase) => phase.state !== 'complete')
  const phase = action.phases[at]
  if (phase?.state === 'running') return { kind: 'phase', at, resumed: phase.retryAt === undefined }
  if (phase?.state === 'pending' && !action.cancelled) {
    const waits = plan.suspends?.includes(at) && !phase.approved
    return waits ? { kind: 'suspend', at } : { kind: 'phase', at, resumed: false }
  }
  if (action.deferPhase?.state === 'pending') return { kind: 'phase', at: 'defer', resumed: false }
  if (action.deferPhase?.state === 'running') {
    return { kind: 'phase', at: 'defer', resumed: action.deferPhase.retryAt === undefined }
  }
  if (phase !== undefined || action.error) return { kind: 'finish' }
  if (plan.hasArtifacts && action.artifacts === undefined) return { kind: 'artifacts' }
  if (plan.wantsRecord && action.record === undefined) return { kind: 'record' }
  return { kind: 'finish' }
}

export function isEnded(action: Pick<RunAction, 'state'>): boolean {
  return action.state === 'complete' || action.state === 'failed'
}

/** The phase whose approval the action waits for. */
export function suspendedPhase({
  phases,
}: Pick<RunAction, 'phases'>): { readonly at: number; readonly name: string } | undefined {
  const at = phases.findIndex((phase) => phase.state !== 'complete')
  const phase = phases[at]
  return phase?.state === 'pending' && phase.suspendedAt && !phase.approved ? { at, name: phase.name } : undefined
}

export function reduce(state: ActionState, event: MachineEvent): Reduced {
  const { plan, action } = state
  if (isEnded(action)) return { state, effects: [] }
  const to = (change: Partial<RunAction>, ...effects: Note[]): Reduced => ({
    state: { plan, action: { ...action, ...change } },
    effects,
  })
  switch (event.type) {
    case 'claimed':
      return to({ fence: { owner: event.owner, instance: event.instance, attempt: action.fence.attempt + 1 } })
    case 'released':
      // A new dispatch is a new job, so that another worker hears of it at once. The instance stays: it tells this write from
      // the same one of another worker, when the answer was lost and the server is asked whether it arrived.
      return to({ fence: { ...action.fence, owner: '', attempt: action.fence.attempt + 1 }, dispatch: action.dispatch + 1 })
    case 'launched':
      return to(launch(action, event), normal('Started Action', `Executing action ${plan.actionName}`))
    case 'launchFailed':
      return to(
        failLaunch(action, event.failure),
        warning(plan, `Failed to launch Action ${plan.actionSetName}: ${event.failure.message}`),
      )
    case 'suspended':
      return to(...suspend(action, event))
    case 'phaseStarted':
      return to(...startPhase(action, event))
    case 'checkpointed':
      return to(setPhase(action, event.at, { checkpoint: event.checkpoint }))
    case 'progressed':
      return to(setPhase(action, event.at, { progress: { ...phaseAt(action, event.at).progress, ...event.progress } }))
    case 'warned':
      return to(warn(action, event.at, event.message), { type: 'Warning', reason: 'Warning', message: event.message })
    case 'phaseEnded':
      return to(...endPhase(action, event))
    case 'phaseRetried':
      return to(...retryPhase(action, event))
    case 'phaseFailed':
      return to(failPhase(action, event), warning(plan, phaseFailureText(action, event)))
    case 'cancelled':
      return to({ cancelled: true })
    case 'artifactsRendered':
      return to({ artifacts: event.artifacts })
    case 'artifactsFailed':
      return to({ error: event.failure }, warning(plan, `Failed to render output artifacts ${event.failure.message}`))
    case 'recorded':
      return event.warning === undefined
        ? to({ record: event.key })
        : to(
            { record: event.key, ...warn(action, undefined, event.warning) },
            { type: 'Warning', reason: 'Record incomplete', message: event.warning },
          )
    case 'recordFailed':
      return to(
        { record: '', ...warn(action, undefined, event.message) },
        { type: 'Warning', reason: 'Not catalogued', message: event.message },
      )
    case 'finished':
      return to(finish(action, event.now))
    default:
      return assertNever(event)
  }
}

/** The failure of an action that was cancelled before it came to its end by itself. */
export const cancelFailure: RunFailure = {
  code: 'RUN_CANCELLED',
  message: 'cancelled: phases that had not ended were stopped or not begun',
}

export function phaseAt(action: RunAction, at: PhaseAt): RunPhase {
  const phase = at === 'defer' ? action.deferPhase : action.phases[at]
  if (!phase) throw new RangeError(`the action has no phase ${at}`)
  return phase
}

function setPhase(action: RunAction, at: PhaseAt, change: Partial<RunPhase>): Partial<RunAction> {
  return putPhase(action, at, { ...phaseAt(action, at), ...change })
}

function putPhase(action: RunAction, at: PhaseAt, changed: RunPhase): Partial<RunAction> {
  if (at === 'defer') return { deferPhase: changed }
  return { phases: action.phases.map((phase, index) => (index === at ? changed : phase)) }
}

type Of<Type extends MachineEvent['type']> = Extract<MachineEvent, { type: Type }>

function launch(action: RunAction, event: Of<'launched'>): Partial<RunAction> {
  const withObjects = (phase: RunPhase, objects: RunPhase['objects']): RunPhase => (objects ? { ...phase, objects } : phase)
  return {
    state: 'running',
    launched: true,
    startedAt: event.now,
    inputs: event.inputs,
    phases: action.phases.map((phase, index) => withObjects(phase, event.objects[index])),
    ...(action.deferPhase ? { deferPhase: withObjects(action.deferPhase, event.deferObjects) } : {}),
  }
}

/** Kanister shows a failed launch at the first phase. */
function failLaunch(action: RunAction, failure: RunFailure): Partial<RunAction> {
  const phases = action.phases.map((phase, index): RunPhase =>
    index === 0 ? { ...phase, state: 'failed', error: failure } : phase,
  )
  return { phases, error: failure }
}

function suspend(action: RunAction, { at, now }: Of<'suspended'>): [Partial<RunAction>, Note] {
  const phase = phaseAt(action, at)
  const change = setPhase(action, at, { suspendedAt: phase.suspendedAt ?? now })
  return [change, normal('Waiting For Approval', `Phase ${phase.name} waits for approval`)]
}

function startPhase(action: RunAction, event: Of<'phaseStarted'>): [Partial<RunAction>, Note] {
  const { checkpoint, retryAt, ...phase } = phaseAt(action, event.at)
  const again = phase.state === 'running'
  const anew = !again || retryAt !== undefined || event.anew === true
  const first = event.checkpoint ?? (anew ? undefined : checkpoint)
  const word = event.at === 'defer' ? 'deferPhase' : 'Phase'
  const started: RunPhase = {
    ...phase,
    state: 'running',
    attempt: (phase.attempt ?? 0) + 1,
    startedAt: phase.startedAt ?? event.now,
    ...(anew ? { round: (phase.round ?? 0) + 1, roundStartedAt: event.now } : {}),
    ...(event.configMaps && !phase.configMaps ? { configMaps: event.configMaps } : {}),
    ...(first === undefined ? {} : { checkpoint: first }),
  }
  const change = putPhase(action, event.at, started)
  const label = event.at === 'defer' ? 'deferPhase' : 'phase'
  return [
    change,
    again
      ? normal(`Resumed ${word}`, `${anew ? 'Restarting' : 'Resuming'} ${label} ${phase.name}`)
      : normal(`Started ${word}`, `Executing ${label} ${phase.name}`),
  ]
}

function endPhase(action: RunAction, event: Of<'phaseEnded'>): [Partial<RunAction>, Note] {
  const { checkpoint: _done, lastError: _healed, ...phase } = phaseAt(action, event.at)
  const ended: RunPhase = {
    ...phase,
    state: 'complete',
    ...(event.output ? { output: event.output } : {}),
    ...(event.at === 'defer' ? {} : { progress: { ...phase.progress, progressPercent: '100', lastTransitionTime: event.now } }),
    endedAt: event.now,
  }
  if (event.at === 'defer') return [{ deferPhase: ended }, normal('Ended deferPhase', `Completed deferPhase ${phase.name}`)]
  const phases = action.phases.map((other, index) => (index === event.at ? ended : other))
  return [{ phases }, normal('Ended Phase', `Completed phase ${phase.name}`)]
}

/** Nothing of the try that failed is gone on with; its error stays, and is told as a warning. */
function retryPhase(action: RunAction, { at, retryAt, limit, failure }: Of<'phaseRetried'>): [Partial<RunAction>, Note] {
  const { checkpoint: _spent, ...phase } = phaseAt(action, at)
  const retries = (phase.retries ?? 0) + 1
  const message = `attempt ${retries + 1} of ${limit + 1} after: ${failure.message.slice(0, maxCauseChars)}`
  const change = putPhase(action, at, { ...phase, state: 'running', retries, retryAt, lastError: failure })
  const warned = warn({ ...action, ...change }, at, message)
  return [
    { ...change, ...warned },
    { type: 'Warning', reason: 'Retrying Phase', message: `Phase ${phase.name}: ${message}` },
  ]
}

const maxCauseChars = 500

/** The deferred phase's failure replaces an earlier one as the action's error, as in Kanister; the earlier stays at its phase. */
function failPhase(action: RunAction, event: Of<'phaseFailed'>): Partial<RunAction> {
  const { retryAt: _over, ...phase } = phaseAt(action, event.at)
  const change = putPhase(action, event.at, { ...phase, state: 'failed', error: event.failure, endedAt: event.now })
  return { ...change, error: event.failure }
}

function phaseFailureText(action: RunAction, { at, failure }: Of<'phaseFailed'>): string {
  return `Failed to execute ${at === 'defer' ? 'defer phase' : 'phase'}: ${phaseAt(action, at).name}: ${failure.message}`
}

const maxWarnings = 20

function warn(action: RunAction, at: PhaseAt | undefined, message: string): Partial<RunAction> {
  const add = (old: readonly string[] | undefined): string[] =>
    [...(old ?? []).filter((known) => known !== message), message].slice(-maxWarnings)
  if (at === undefined) return { warnings: add(action.warnings) }
  return setPhase(action, at, { warnings: add(phaseAt(action, at).warnings) })
}

/** A cancel that came when all phases had ended changes nothing: the data is there, and so is its artifact. */
function finish(action: RunAction, now: string): Partial<RunAction> {
  const stoppedEarly = action.cancelled && action.phases.some((phase) => phase.state !== 'complete')
  const error = action.error ?? (stoppedEarly || (action.cancelled && !action.launched) ? cancelFailure : undefined)
  return { state: error ? 'failed' : 'complete', ...(error ? { error } : {}), endedAt: now }
}

function normal(reason: string, message: string): Note {
  return { type: 'Normal', reason, message }
}

function warning(plan: ActionPlan, message: string): Note {
  return { type: 'Warning', reason: `ActionSetFailed Action: ${plan.actionName}`, message }
}
