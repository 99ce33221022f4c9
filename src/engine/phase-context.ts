import { createHash } from 'node:crypto'
import type { BlueprintPhase } from '../api/blueprint.ts'
import { toRfc3339 } from '../base/clock.ts'
import type { FunctionContext, PodSettings, RunIdentity } from '../functions/context.ts'
import { functionError } from '../functions/errors.ts'
import { decodeProfile, type ResolvedProfile } from '../store/profile-json.ts'
import type { TemplateParams } from '../template/variables.ts'
import { paramsOf, scopeOf, type Attempt } from './attempt.ts'
import { checkCheckpoint, clip } from './limits.ts'
import { phaseAt, type PhaseAt } from './machine.ts'
import { mergeProgress } from './progress.ts'

export interface PhaseContextOptions {
  readonly at: PhaseAt
  readonly phase: BlueprintPhase
  readonly actionIndex: number
  /** Times that the phase began anew, this one included: names of what it makes tell them apart. */
  readonly round: number
  /** The checkpoint that an earlier attempt left. */
  readonly resumed: unknown
  readonly signal: AbortSignal
  /** Takes what is to be done when the end of the phase is durable. */
  readonly afterwards: (work: () => Promise<void>) => void
}

/** Everything a function may touch, tied to the journal entry of its phase. */
export function phaseContext(attempt: Attempt, options: PhaseContextOptions): FunctionContext {
  const { deps, journal } = attempt
  const { at, phase, signal } = options
  const params = paramsOf(attempt)
  const run = identityOf(attempt, options)
  const profile = (): ResolvedProfile => resolvedProfile(params, phase.func ?? '')
  const nameOfRound = (prefix: string, round: number): string =>
    deriveName(prefix, `${run.actionSetUid}/${options.actionIndex}/${at}${round > 1 ? `/${round}` : ''}`)
  return {
    kube: deps.kube.patient,
    clock: deps.clock,
    log: deps.log.child({ ActionSet: run.actionSetName, Action: run.actionName, Phase: run.phaseName, ...logLabels(run) }),
    signal,
    params,
    run,
    pods: podSettings(attempt),
    engine: deps.engine,
    profile,
    openStore: async () => await deps.openStore(profile()),
    repositories: deps.repositories,
    progress: (report) => {
      const now = toRfc3339(deps.clock.now())
      const progress = mergeProgress(phaseAt(journal.action, at).progress, report, now)
      if (!progress || signal.aborted) return
      journal.apply({ type: 'progressed', at, progress })
      journal.flushSoon()
    },
    checkpoint: async (state) => {
      signal.throwIfAborted()
      journal.apply({ type: 'checkpointed', at, checkpoint: checkCheckpoint(state) })
      await journal.flush()
    },
    confirm: async (anew) => await journal.confirm(anew),
    untilAlone: async (until) => await journal.untilAlone(until),
    afterwards: options.afterwards,
    resumed: options.resumed,
    warn: (message) => {
      journal.apply({ type: 'warned', at, message: clip(message) })
      journal.flushSoon()
    },
    render: async (template) => {
      const scope = scopeOf(attempt)
      const own = at === 'defer' ? scope.params.DeferPhase : scope.params.Phases?.[run.phaseName]
      return await deps.renderer.text(template, {
        ...scope,
        params: { ...scope.params, ...(own ? { CurrentPhase: own } : {}) },
      })
    },
    condition: (language, condition) => deps.renderer.condition(language, condition, scopeOf(attempt)),
    deriveName: (prefix) => nameOfRound(prefix, options.round),
    earlierNames: (prefix) => Array.from({ length: options.round - 1 }, (_, index) => nameOfRound(prefix, index + 1)),
  }
}

/**
 * The same for every attempt of a phase, so that a resumed one meets what an earlier one made; told apart from other phases
 * by index, since names may repeat. A phase that begins anew makes things of other names: it must not take those of the try before for its own.
 */
function deriveName(prefix: string, of: string): string {
  const hash = createHash('sha256').update(of).digest('hex').slice(0, 12)
  return `${prefix.slice(0, 63 - hash.length)}${hash}`
}

function identityOf({ journal, spec }: Attempt, { at, phase, actionIndex }: PhaseContextOptions): RunIdentity {
  const { metadata, spec: frozen } = journal.run
  return {
    namespace: metadata.namespace,
    actionSetName: frozen.actionSet.name,
    actionSetUid: frozen.actionSet.uid,
    runRef: { name: metadata.name, uid: metadata.uid },
    actionSetLabels: frozen.actionSet.labels ?? {},
    actionIndex,
    actionName: spec.action.name ?? '',
    phaseName: phase.name ?? '',
    attempt: phaseAt(journal.action, at).attempt ?? 1,
    object: spec.action.object ?? {},
  }
}

/** Labels of the ActionSet that Kanister's users filter logs by. */
function logLabels(run: RunIdentity): Record<string, string> {
  return Object.fromEntries(Object.entries(run.actionSetLabels).filter(([name]) => name.startsWith('kanister.io/')))
}

function podSettings({ spec }: Attempt): PodSettings {
  const { podOverride, podLabels, podAnnotations } = spec.action
  return { ...(podOverride ? { override: podOverride } : {}), labels: podLabels ?? {}, annotations: podAnnotations ?? {} }
}

function resolvedProfile(params: TemplateParams, func: string): ResolvedProfile {
  if (params.Profile) return decodeProfile(params.Profile)
  throw functionError(
    'FUNCTION_NO_PROFILE',
    `function ${func} needs a Profile: name one at the action (spec.actions[].profile)`,
  )
}
