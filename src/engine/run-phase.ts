import type { BlueprintPhase } from '../api/blueprint.ts'
import { toRfc3339 } from '../base/clock.ts'
import { withCleanupSignal } from '../base/deadline.ts'
import { messageOf } from '../base/errors.ts'
import { parseGoDuration } from '../base/go-duration.ts'
import { abandon } from '../functions/abandon.ts'
import type { FunctionContext } from '../functions/context.ts'
import type { PhaseFunction, Resume } from '../functions/define.ts'
import { functionError } from '../functions/errors.ts'
import type { ConfigMapParams } from '../template/variables.ts'
import { decodeArgs, nameArgs } from './args.ts'
import { scopeOf, type Attempt } from './attempt.ts'
import { runError } from './errors.ts'
import { checkCheckpoint, checkOutputs, failureOf } from './limits.ts'
import { canGoOnAfter, lossesOf, waitAfterLoss, type Losses } from './lost-connection.ts'
import { phaseAt, type PhaseAt } from './machine.ts'
import { phaseContext } from './phase-context.ts'
import { deadlineOfTry, decideRetry } from './phase-policy.ts'
import { withPhaseSignal } from './phase-signal.ts'
import { fetchObjects, type Fetched, type References } from './references.ts'

/**
 * Runs one try of a phase, or goes on with one that an earlier attempt left running, and journals how it ended: well, badly, or to be tried
 * again. What can fail without a side effect (objects, templates, arguments) comes before the write that says the phase runs; that write is
 * durable before the function starts. Throws only when this attempt must stop: shutdown, or the action was lost.
 */
export async function runPhase(attempt: Attempt, at: PhaseAt, resumed: boolean, actionIndex: number): Promise<void> {
  const { journal, deps } = attempt
  const phase = blueprintPhase(attempt, at)
  const now = (): string => toRfc3339(deps.clock.now())
  const afterwards: (() => Promise<void>)[] = []
  const contexts = (round: number, checkpoint: unknown): Contexts => {
    const options = {
      at,
      phase,
      actionIndex,
      round,
      resumed: checkpoint,
      afterwards: (work: () => Promise<void>) => void afterwards.push(work),
    }
    return (signal) => phaseContext(attempt, { ...options, signal })
  }
  const before = phaseAt(journal.action, at)
  const earlier = resumed ? contexts(before.round ?? 1, before.checkpoint) : undefined
  let joined = false
  try {
    if (before.retryAt !== undefined) await backOff(attempt, at, phase, before.retryAt)
    const output = await withPhaseSignal(signalOptions(attempt, at, phase, resumed), async (signal) => {
      const anew = !resumed || phase.resume === 'restart'
      if (earlier && anew) await endEarlier(attempt, phase, earlier, { forGood: false })
      const { fn, args, fetched } = await prepare(attempt, at, phase, !anew, signal)
      if (!anew && fn.prepare && before.checkpoint === undefined) throw interrupted(phase)
      const context = earlier && !anew ? earlier : contexts((before.round ?? 0) + 1, undefined)
      const first = anew ? checkCheckpoint(await fn.prepare?.(context(signal), args)) : undefined
      signal.throwIfAborted()
      const started = {
        ...frozenConfigMaps(fetched),
        ...(first ? { checkpoint: first } : {}),
        ...(resumed && anew ? { anew } : {}),
      }
      journal.apply({ type: 'phaseStarted', at, now: now(), ...started })
      await journal.flush()
      signal.throwIfAborted()
      joined = true
      const outputs = await fn.run(context(signal), args)
      return checkOutputs(outputs, withOwnAction(attempt, actionIndex))
    })
    journal.apply({ type: 'phaseEnded', at, now: now(), ...(output ? { output } : {}) })
  } catch (error) {
    if (journal.lost.aborted || runError.is(error, 'RUN_SHUTDOWN')) throw error
    if (joined && canGoOnAfter(attempt, at, error, resumeOf(attempt, phase))) {
      deps.log.warn({ Phase: phase.name ?? '', error: String(error) }, 'connection to a command lost, going on with the phase')
      return await waitAfterLoss(attempt, at)
    }
    // Told to stop, the function may not have got as far as to what runs.
    if (earlier && (!joined || wasStopped(attempt, error))) await endEarlier(attempt, phase, earlier, { forGood: true })
    failOrRetry(attempt, at, phase, asInterrupted(error, lossesOf(attempt, at)))
  }
  const noteFailure = (error: unknown): void =>
    deps.log.warn({ Phase: phase.name ?? '', error: messageOf(error) }, 'what was to be done after the phase failed')
  for (const work of afterwards) journal.whenDurable(() => void work().catch(noteFailure))
  if (phaseAt(journal.action, at).retryAt !== undefined) await journal.flush()
}

function wasStopped({ cancel }: Attempt, error: unknown): boolean {
  return cancel.aborted || runError.is(error, 'RUN_CANCELLED', 'RUN_TIMEOUT', 'RUN_STUCK')
}

type Contexts = (signal: AbortSignal) => FunctionContext

function failOrRetry(attempt: Attempt, at: PhaseAt, phase: BlueprintPhase, error: unknown): void {
  const { journal, deps } = attempt
  const nowMs = deps.clock.now()
  const failure = failureOf(error)
  const again =
    at !== 'defer' && attempt.cancel.aborted
      ? undefined
      : decideRetry({
          phase,
          action: at === 'defer' ? undefined : attempt.spec.blueprint,
          journal: phaseAt(journal.action, at),
          error,
          nowMs,
          actionEndsAtMs: at === 'defer' ? Infinity : actionEndsAtMs(attempt),
        })
  if (again)
    journal.apply({ type: 'phaseRetried', at, retryAt: new Date(again.atMs).toISOString(), limit: again.limit, failure })
  else journal.apply({ type: 'phaseFailed', at, now: toRfc3339(nowMs), failure })
}

/** The rest of the wait before a phase is tried again; a cancel, a shutdown and the action's deadline end it at once. */
async function backOff(attempt: Attempt, at: PhaseAt, phase: BlueprintPhase, retryAt: string): Promise<void> {
  const { deps } = attempt
  const options = {
    ...signalOptions(attempt, at, phase, false),
    signals: at === 'defer' ? [attempt.stop] : [attempt.stop, attempt.cancel],
  }
  const waitMs = Math.max(0, Date.parse(retryAt) - deps.clock.now())
  // The try's own time begins after it.
  const deadline = { ...options.deadline, atMs: at === 'defer' ? Infinity : actionEndsAtMs(attempt) }
  await withPhaseSignal({ ...options, deadline }, (signal) => deps.clock.sleep(waitMs, signal))
}

function actionEndsAtMs({ spec, journal }: Attempt): number {
  const timeoutMs = parseGoDuration(spec.blueprint?.timeout ?? '')
  return timeoutMs === undefined ? Infinity : Date.parse(journal.action.startedAt ?? '') + timeoutMs
}

/** Less than what a cancel may take in all. */
const abandonMs = 12_000

/** What a dead attempt left running must not outlive the phase: a cancel found on resume stops it too. A failure is a warning. */
async function endEarlier(
  attempt: Attempt,
  phase: BlueprintPhase,
  context: Contexts,
  how: { readonly forGood: boolean },
): Promise<void> {
  const { deps, spec, stop } = attempt
  try {
    const fn = deps.findFunction(phase.func ?? '', spec.action.preferredVersion ?? '')
    if (!attempt.live) return
    await withCleanupSignal(`the end of what phase "${phase.name ?? ''}" left`, abandonMs, (signal) =>
      abandon(context(AbortSignal.any([signal, stop])), fn, how),
    )
  } catch (error) {
    stop.throwIfAborted()
    context(stop).warn(`what an earlier attempt left could not be ended: ${messageOf(error)}`)
  }
}

/** Undefined when there is no such function. */
function resumeOf({ deps, spec }: Attempt, phase: BlueprintPhase): Resume | undefined {
  try {
    return phase.resume ?? deps.findFunction(phase.func ?? '', spec.action.preferredVersion ?? '').resume
  } catch {
    return undefined
  }
}

/** Functions cannot name the errors of the engine. What cannot go on after a loss failed by that loss. */
function asInterrupted(error: unknown, losses: Losses | undefined): unknown {
  if (!functionError.is(error, 'FUNCTION_INTERRUPTED')) return error
  if (losses) return losses.error
  return runError('RUN_INTERRUPTED', error.message, { cause: error, details: error.details })
}

interface Prepared {
  readonly fn: PhaseFunction
  readonly args: Record<string, unknown>
  readonly fetched: Fetched
}

async function prepare(
  attempt: Attempt,
  at: PhaseAt,
  phase: BlueprintPhase,
  resumed: boolean,
  signal: AbortSignal,
): Promise<Prepared> {
  const { deps, spec, journal } = attempt
  const fn = deps.findFunction(phase.func ?? '', spec.action.preferredVersion ?? '')
  if (resumed && (phase.resume ?? fn.resume) === 'refuse') throw interrupted(phase)
  const fetched = await fetchPhase(attempt, at, signal)
  attempt.fetched.set(at, fetched)
  const { named, faults } = nameArgs(fn, phase.args)
  if (faults.length > 0) throw runError('RUN_BAD_ARGS', faults.join('; '))
  const rendered = fn.rendersItself ? { ...named } : await deps.renderer.args(named, scopeOf(attempt))
  journal.lost.throwIfAborted()
  return { fn, args: decodeArgs(fn, rendered), fetched }
}

function interrupted(phase: BlueprintPhase): Error {
  return runError(
    'RUN_INTERRUPTED',
    `phase "${phase.name ?? ''}" was interrupted: the engine stopped while it ran, and ${phase.func ?? ''} cannot be repeated ` +
      'safely; look at what it left behind, then create the ActionSet again',
  )
}

/** Secrets of the phase as they are now; ConfigMaps as they were when the phase first started. */
export async function fetchPhase({ deps, journal }: Attempt, at: PhaseAt, signal: AbortSignal): Promise<Fetched> {
  const { objects, configMaps } = phaseAt(journal.action, at)
  const wanted = Object.entries((objects ?? {}) as References).filter(([name]) => configMaps?.[name] === undefined)
  const fetched = await fetchObjects(deps.kube.patient, Object.fromEntries(wanted), signal)
  return { ...fetched, configMaps: { ...fetched.configMaps, ...(configMaps as Record<string, ConfigMapParams>) } }
}

function frozenConfigMaps({ configMaps }: Fetched): { readonly configMaps?: Record<string, Record<string, unknown>> } {
  if (Object.keys(configMaps).length === 0) return {}
  return { configMaps: Object.fromEntries(Object.entries(configMaps).map(([name, value]) => [name, { ...value }])) }
}

export function blueprintPhase({ spec }: Attempt, at: PhaseAt): BlueprintPhase {
  const phase = at === 'defer' ? spec.blueprint?.deferPhase : spec.blueprint?.phases?.[at]
  if (!phase) throw new RangeError(`the frozen Blueprint has no phase ${at}`)
  return phase
}

function signalOptions(
  attempt: Attempt,
  at: PhaseAt,
  phase: BlueprintPhase,
  resumed: boolean,
): Parameters<typeof withPhaseSignal>[0] {
  const { deps, settings, cancel, spec, journal } = attempt
  const ending = stopsAtOnce(attempt, phase) ? attempt.stop : attempt.lateStop
  const nowMs = deps.clock.now()
  const startedMs = resumed ? Date.parse(phaseAt(journal.action, at).roundStartedAt ?? '') : nowMs
  return {
    what: `phase "${phase.name ?? ''}" (${phase.func ?? ''})`,
    clock: deps.clock,
    deadline: deadlineOfTry({
      phase,
      action: at === 'defer' ? undefined : spec.blueprint,
      actionName: spec.action.name ?? '',
      tryStartedMs: Number.isNaN(startedMs) || phase.resume === 'restart' ? nowMs : startedMs,
      actionStartedMs: Date.parse(journal.action.startedAt ?? '') || nowMs,
      phaseTimeoutMs: settings.phaseTimeoutMs,
    }),
    graceMs: settings.graceMs,
    signals: at === 'defer' ? [ending] : [ending, cancel],
  }
}

function stopsAtOnce({ deps, spec }: Attempt, phase: BlueprintPhase): boolean {
  try {
    const { resume, drains = resume === 'refuse' } = deps.findFunction(phase.func ?? '', spec.action.preferredVersion ?? '')
    return !drains
  } catch {
    // There is no such function; nothing will run.
    return true
  }
}

/** The Run as it will be when what is known of this action is written. */
export function withOwnAction({ journal }: Attempt, actionIndex: number): Parameters<typeof checkOutputs>[1] {
  const { spec, status } = journal.run
  return { spec, status: { ...status, actions: { ...status.actions, [String(actionIndex)]: journal.action } } }
}
