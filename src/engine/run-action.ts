import { randomBytes } from 'node:crypto'
import { names } from '../api/names.ts'
import type { Run, RunActionSpec, RunPhase } from '../api/run.ts'
import { retry } from '../base/backoff.ts'
import { toRfc3339 } from '../base/clock.ts'
import { assertNever, messageOf } from '../base/errors.ts'
import type { TemplateParams } from '../template/variables.ts'
import { scopeOf, type Attempt, type AttemptDeps } from './attempt.ts'
import { catalogOf } from './catalog-place.ts'
import { Journal } from './journal.ts'
import { checkArtifacts, checkInputs, clip, failureOf } from './limits.ts'
import { nextStep, type ActionPlan, type Note, type PhaseAt } from './machine.ts'
import { buildParams, freezeInputs, thawInputs } from './params.ts'
import { nothingFetched, type Fetched } from './references.ts'
import { fetchPhase, runPhase, withOwnAction } from './run-phase.ts'
import { isHeld } from './turn.ts'
import type { WorkerSettings } from './worker.ts'

export interface RunActionRequest {
  readonly run: Run
  readonly actionIndex: number
  /** Aborted with RUN_SHUTDOWN. */
  readonly shutdown: AbortSignal
  /** Aborted likewise, when functions that cannot be repeated have had their time to end. */
  readonly lateShutdown: AbortSignal
  /** Aborted with RUN_CANCELLED. */
  readonly cancel: AbortSignal
  readonly settings: WorkerSettings
  readonly emit: (note: Note) => void
  /** Asked once the claim of an action that was not launched is durable; false gives it back. Absent: it may begin. */
  readonly mayBegin?: (signal: AbortSignal) => Promise<boolean>
  /** Called with the Run as each answer to a write of the journal shows it. */
  readonly onAnswer?: (run: Run) => void
  /** Called with the journal of the attempt, so that its owner can have the fence checked. */
  readonly onStart?: (journal: Journal) => void
}

/**
 * - `ended`: the action is complete or failed.
 * - `released`: given free for another worker.
 * - `suspended`: given free until somebody approves the next phase.
 * - `lost`: another worker has it, or its Run is gone.
 */
export type ActionOutcome = 'ended' | 'released' | 'suspended' | 'lost'

/** Claims an action and drives it to its end, from wherever its journal says it is. */
export async function runAction(deps: AttemptDeps, request: RunActionRequest): Promise<ActionOutcome> {
  const attempt = openAttempt(deps, request)
  const { journal } = attempt
  const { name: owner, instance } = deps.worker
  journal.apply({ type: 'claimed', owner, instance })
  request.onStart?.(journal)
  const onCancel = (): void => journal.apply({ type: 'cancelled' })
  if (request.cancel.aborted) onCancel()
  else request.cancel.addEventListener('abort', onCancel, { once: true })
  try {
    if (await mustStepBack(attempt, request)) {
      journal.apply({ type: 'released' })
      await journal.flush()
      return 'released'
    }
    return await drive(attempt, request.actionIndex)
  } catch (error) {
    if (journal.lost.aborted) return 'lost'
    if (!request.shutdown.aborted) throw error
    journal.apply({ type: 'released' })
    await journal.flush()
    return 'released'
  } finally {
    request.cancel.removeEventListener('abort', onCancel)
    journal.close()
  }
}

async function mustStepBack({ journal, stop }: Attempt, { mayBegin, cancel }: RunActionRequest): Promise<boolean> {
  if (!mayBegin || journal.action.launched || cancel.aborted) return false
  await journal.flush()
  // The operator may have made it wait while the claim was under way.
  return isHeld(journal.run) || !(await mayBegin(stop))
}

function openAttempt(deps: AttemptDeps, request: RunActionRequest): Attempt {
  const { run, actionIndex, settings, emit, onAnswer } = request
  const spec = run.spec.actions[actionIndex] as RunActionSpec
  const journal = new Journal({
    kube: deps.kube,
    run,
    actionIndex,
    plan: planOf(run, spec),
    clock: deps.clock,
    log: deps.log,
    emit,
    ...(onAnswer ? { onAnswer } : {}),
    budgetMs: settings.journalBudgetMs,
    soonMs: settings.progressMs,
  })
  const stop = AbortSignal.any([request.shutdown, journal.lost])
  const lateStop = AbortSignal.any([request.lateShutdown, journal.lost])
  const { cancel } = request
  return { deps, settings, journal, spec, stop, lateStop, cancel, fetched: new Map(), losses: new Map(), live: undefined }
}

function planOf(run: Run, { action, blueprint }: RunActionSpec): ActionPlan {
  const hasArtifacts = Object.keys(blueprint?.outputArtifacts ?? {}).length > 0
  // What a proof found out is no backup.
  const isProof = run.spec.actionSet.labels?.[names.verification] !== undefined
  return {
    actionSetName: run.spec.actionSet.name,
    actionName: action.name ?? '',
    hasArtifacts,
    wantsRecord: hasArtifacts && !isProof,
    suspends: (blueprint?.phases ?? []).flatMap((phase, index) => (phase.suspend === true ? [index] : [])),
  }
}

async function drive(attempt: Attempt, actionIndex: number): Promise<'ended' | 'suspended'> {
  const { journal, deps, stop } = attempt
  for (;;) {
    stop.throwIfAborted()
    const step = nextStep(journal.state)
    switch (step.kind) {
      case 'launch':
        await launch(attempt)
        break
      case 'phase':
        if (await readInputs(attempt, step.at)) await runPhase(attempt, step.at, step.resumed, actionIndex)
        break
      case 'suspend':
        // In one write, so that no crash leaves it owned and waiting.
        journal.apply({ type: 'suspended', at: step.at, now: toRfc3339(deps.clock.now()) })
        journal.apply({ type: 'released' })
        await journal.flush()
        return 'suspended'
      case 'artifacts':
        if (await readInputs(attempt, 'artifacts')) await renderArtifacts(attempt, actionIndex)
        break
      case 'record':
        if (await readInputs(attempt, 'record')) await record(attempt, actionIndex)
        break
      case 'finish':
        journal.apply({ type: 'finished', now: toRfc3339(deps.clock.now()) })
        await journal.flush()
        break
      case 'end':
        await journal.flush()
        return 'ended'
      default:
        assertNever(step)
    }
  }
}

/** How long a launch or resume goes on asking an API server that does not answer. */
const readBudgetMs = 5 * 60_000

/** Freezes the inputs and renders the references of all phases. Nothing is done outside yet, so nothing is written here either. */
async function launch(attempt: Attempt): Promise<void> {
  const { deps, journal, spec, stop } = attempt
  const now = deps.clock.now()
  try {
    const moment = { time: goTime(now), seed: randomBytes(16).toString('hex') }
    const { inputs, live } = await retry(() => freezeInputs(deps.kube, spec.action, moment, stop), {
      signal: stop,
      clock: deps.clock,
      budgetMs: readBudgetMs,
    })
    const params = buildParams({ spec: spec.action, action: journal.action, inputs, live, fetched: new Map() })
    const objects = await renderObjects(attempt, params, inputs.seed)
    checkInputs(inputs, journal.run)
    attempt.live = live
    journal.apply({ type: 'launched', now: toRfc3339(now), inputs, ...objects })
  } catch (error) {
    stop.throwIfAborted()
    journal.apply({ type: 'launchFailed', failure: failureOf(error) })
  }
}

type RenderedObjects = { objects: (RunPhase['objects'] | undefined)[]; deferObjects?: NonNullable<RunPhase['objects']> }

async function renderObjects({ deps, spec }: Attempt, params: TemplateParams, seed: string): Promise<RenderedObjects> {
  const scope = { language: spec.templateLanguage ?? 'GoTemplate', params, seed }
  const objects: (RunPhase['objects'] | undefined)[] = []
  for (const phase of spec.blueprint?.phases ?? []) {
    objects.push(phase.objects ? await deps.renderer.references(phase.objects, scope) : undefined)
  }
  const deferred = spec.blueprint?.deferPhase?.objects
  return { objects, ...(deferred ? { deferObjects: await deps.renderer.references(deferred, scope) } : {}) }
}

/**
 * Makes sure that this attempt has read what the templates see: after a takeover, Secrets and the objects of phases that have
 * started are read anew. What cannot be read any more fails the step that needs it, so that the deferred phase still gets its
 * turn; false then.
 */
async function readInputs(attempt: Attempt, forStep: PhaseAt | 'artifacts' | 'record'): Promise<boolean> {
  const { deps, journal, spec, stop } = attempt
  const { inputs } = journal.action
  if (attempt.live || !inputs) return true
  try {
    attempt.live = await retry(() => thawInputs(deps.kube, spec.action, inputs, stop), {
      signal: stop,
      clock: deps.clock,
      budgetMs: readBudgetMs,
    })
    await refetchPhases(attempt)
    return true
  } catch (error) {
    stop.throwIfAborted()
    const failure = failureOf(error)
    if (forStep === 'artifacts') journal.apply({ type: 'artifactsFailed', failure })
    else if (forStep === 'record') journal.apply({ type: 'recordFailed', message: clip(`not catalogued: ${failure.message}`) })
    else journal.apply({ type: 'phaseFailed', at: forStep, now: toRfc3339(deps.clock.now()), failure })
    return false
  }
}

async function refetchPhases(attempt: Attempt): Promise<void> {
  const { journal, fetched } = attempt
  const { phases, deferPhase } = journal.action
  for (const [index, phase] of phases.entries()) {
    if (phase.state !== 'pending') fetched.set(index, await refetch(attempt, index, phase))
  }
  if (deferPhase?.state === 'complete') fetched.set('defer', await refetch(attempt, 'defer', deferPhase))
}

/** What a phase that failed had to read may be just what is missing; the deferred phase should not fail for that again. */
async function refetch(attempt: Attempt, at: PhaseAt, phase: RunPhase): Promise<Fetched> {
  try {
    return await fetchPhase(attempt, at, attempt.stop)
  } catch (error) {
    if (phase.state === 'complete') throw error
    return nothingFetched
  }
}

async function renderArtifacts(attempt: Attempt, actionIndex: number): Promise<void> {
  const { deps, journal, spec, stop } = attempt
  try {
    const artifacts = await deps.renderer.artifacts(spec.blueprint?.outputArtifacts ?? {}, scopeOf(attempt))
    checkArtifacts(artifacts, withOwnAction(attempt, actionIndex))
    journal.apply({ type: 'artifactsRendered', artifacts })
  } catch (error) {
    stop.throwIfAborted()
    journal.apply({ type: 'artifactsFailed', failure: failureOf(error) })
  }
}

const recordTimeoutMs = 60_000

/**
 * Writes the record beside the data, last. The phases' results are durable first, so that a crash here does not repeat them.
 * A record that cannot be written is a warning, not a failure: the backup is there and its artifacts are in the ActionSet;
 * only a search of the bucket would not find it.
 */
async function record(attempt: Attempt, actionIndex: number): Promise<void> {
  const { deps, journal, stop } = attempt
  await journal.flush()
  try {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(recordTimeoutMs)])
    const backup = { run: journal.run, actionIndex, ...(await catalogOf(attempt, signal)) }
    const warnings: string[] = []
    const key = await deps.writeRecord(backup, signal, (message) => void warnings.push(message))
    journal.apply({ type: 'recorded', key, ...(warnings.length > 0 ? { warning: clip(warnings.join('; ')) } : {}) })
  } catch (error) {
    stop.throwIfAborted()
    journal.apply({ type: 'recordFailed', message: clip(`not catalogued: ${messageOf(error)}`) })
  }
}

/** RFC 3339 with the fraction that there is, as Go prints it: zeros at the end of the fraction are dropped. */
function goTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.?0+Z$/, 'Z')
}
