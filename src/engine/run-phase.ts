import type { BlueprintPhase } from '../api/blueprint.ts'
import { toRfc3339 } from '../base/clock.ts'
import { withCleanupSignal } from '../base/deadline.ts'
import { messageOf } from '../base/errors.ts'
import { abandon } from '../functions/abandon.ts'
import type { FunctionContext } from '../functions/context.ts'
import type { PhaseFunction } from '../functions/define.ts'
import { functionError } from '../functions/errors.ts'
import type { ConfigMapParams } from '../template/variables.ts'
import { decodeArgs, nameArgs } from './args.ts'
import { scopeOf, type Attempt } from './attempt.ts'
import { runError } from './errors.ts'
import { checkCheckpoint, checkOutputs, failureOf } from './limits.ts'
import { phaseAt, type PhaseAt } from './machine.ts'
import { phaseContext } from './phase-context.ts'
import { withPhaseSignal } from './phase-signal.ts'
import { fetchObjects, type Fetched, type References } from './references.ts'

/**
 * Runs one phase, or goes on with one that an earlier attempt left running, and journals how it ended. What can fail without a
 * side effect (objects, templates, arguments) comes before the write that says the phase runs; that write is durable before
 * the function starts. Throws only when this attempt must stop: shutdown, or the action was lost.
 */
export async function runPhase(attempt: Attempt, at: PhaseAt, resumed: boolean, actionIndex: number): Promise<void> {
  const { journal, deps } = attempt
  const phase = blueprintPhase(attempt, at)
  const checkpoint = resumed ? phaseAt(journal.action, at).checkpoint : undefined
  const now = (): string => toRfc3339(deps.clock.now())
  const afterwards: (() => Promise<void>)[] = []
  const context = (signal: AbortSignal): FunctionContext =>
    phaseContext(attempt, {
      at,
      phase,
      actionIndex,
      resumed: checkpoint,
      signal,
      afterwards: (work) => void afterwards.push(work),
    })
  let joined = false
  try {
    const output = await withPhaseSignal(signalOptions(attempt, at, phase), async (signal) => {
      const { fn, args, fetched } = await prepare(attempt, at, phase, resumed, signal)
      if (resumed && fn.prepare && checkpoint === undefined) throw interrupted(phase)
      const first = resumed ? undefined : checkCheckpoint(await fn.prepare?.(context(signal), args))
      signal.throwIfAborted()
      journal.apply({
        type: 'phaseStarted',
        at,
        now: now(),
        ...frozenConfigMaps(fetched),
        ...(first ? { checkpoint: first } : {}),
      })
      await journal.flush()
      signal.throwIfAborted()
      joined = true
      const outputs = await fn.run(context(signal), args)
      return checkOutputs(outputs, withOwnAction(attempt, actionIndex))
    })
    journal.apply({ type: 'phaseEnded', at, now: now(), ...(output ? { output } : {}) })
  } catch (error) {
    if (journal.lost.aborted || runError.is(error, 'RUN_SHUTDOWN')) throw error
    if (resumed && !joined) await abandonEarlier(attempt, phase, context)
    journal.apply({ type: 'phaseFailed', at, now: now(), failure: failureOf(asInterrupted(error)) })
  }
  for (const work of afterwards) journal.whenDurable(() => void work())
}

/** Less than what a cancel may take in all. */
const abandonMs = 12_000

/** What a dead attempt left running must not outlive the phase: a cancel found on resume stops it too. A failure is a warning. */
async function abandonEarlier(
  attempt: Attempt,
  phase: BlueprintPhase,
  context: (signal: AbortSignal) => FunctionContext,
): Promise<void> {
  const { deps, spec, stop } = attempt
  try {
    const fn = deps.findFunction(phase.func ?? '', spec.action.preferredVersion ?? '')
    if (!attempt.live) return
    await withCleanupSignal(`the end of what phase "${phase.name ?? ''}" left`, abandonMs, (signal) =>
      abandon(context(AbortSignal.any([signal, stop])), fn),
    )
  } catch (error) {
    stop.throwIfAborted()
    context(stop).warn(`what an earlier attempt left could not be ended: ${messageOf(error)}`)
  }
}

/** Functions cannot name the errors of the engine. */
function asInterrupted(error: unknown): unknown {
  if (!functionError.is(error, 'FUNCTION_INTERRUPTED')) return error
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
  if (resumed && fn.resume === 'refuse') throw interrupted(phase)
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
  const fetched = await fetchObjects(deps.kube, Object.fromEntries(wanted), signal)
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

function signalOptions(attempt: Attempt, at: PhaseAt, phase: BlueprintPhase): Parameters<typeof withPhaseSignal>[0] {
  const { deps, settings, cancel } = attempt
  const ending = stopsAtOnce(attempt, phase) ? attempt.stop : attempt.lateStop
  return {
    what: `phase "${phase.name ?? ''}" (${phase.func ?? ''})`,
    clock: deps.clock,
    timeoutMs: settings.phaseTimeoutMs,
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
