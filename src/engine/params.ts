import type { ActionSpec } from '../api/actionset.ts'
import type { FrozenInputs, RunAction, RunPhase } from '../api/run.ts'
import type {
  ArtifactParams,
  ConfigMapParams,
  JsonObject,
  PhaseParams,
  ProfileParams,
  SecretParams,
  TemplateParams,
} from '../template/variables.ts'
import { freezeProfile, resolveProfile, type FrozenProfile } from './profile.ts'
import { fetchConfigMaps, fetchSecrets, freezeReference, inOrder, type ClusterReader, type Fetched } from './references.ts'
import { freezeTarget, targetParams, thawTarget } from './target.ts'

/** What an attempt holds in memory only: secrets, read anew by reference each time. */
export interface LiveInputs {
  readonly secrets: Readonly<Record<string, SecretParams>>
  readonly profile?: ProfileParams
  readonly object?: JsonObject
}

export interface Moment {
  /** `.Time`, as Go prints it. */
  readonly time: string
  /** Hex. */
  readonly seed: string
}

/** Reads everything that the templates of an action may see, once, when it is launched. */
export async function freezeInputs(
  reader: ClusterReader,
  action: ActionSpec,
  moment: Moment,
  signal: AbortSignal,
): Promise<{ readonly inputs: FrozenInputs; readonly live: LiveInputs }> {
  const [secrets, configMaps, profile, target] = await inOrder([
    fetchSecrets(reader, action.secrets ?? {}, signal),
    fetchConfigMaps(reader, action.configMaps ?? {}, signal),
    openProfile(reader, action, signal),
    freezeTarget(reader, action.object ?? {}, signal),
  ] as const)
  const inputs: FrozenInputs = {
    ...moment,
    ...target,
    ...(Object.keys(configMaps).length > 0 ? { configMaps: configMaps as NonNullable<FrozenInputs['configMaps']> } : {}),
    ...(Object.keys(secrets).length > 0 ? { secrets: mapValues(secrets, freezeReference) } : {}),
    ...(profile ? { profile: profile.frozen as Record<string, unknown> } : {}),
  }
  const object = await thawTarget(reader, action.object ?? {}, inputs, signal)
  return { inputs, live: { secrets, ...(profile ? { profile: profile.params } : {}), ...(object ? { object } : {}) } }
}

/** The same for an attempt that takes over: from the frozen inputs; Secrets by their references, so rotated ones are as they are now. */
export async function thawInputs(
  reader: ClusterReader,
  action: ActionSpec,
  inputs: FrozenInputs,
  signal: AbortSignal,
): Promise<LiveInputs> {
  const [secrets, profile, object] = await inOrder([
    fetchSecrets(reader, inputs.secrets ?? {}, signal),
    inputs.profile ? resolveProfile(reader, inputs.profile as FrozenProfile, signal) : Promise.resolve(undefined),
    thawTarget(reader, action.object ?? {}, inputs, signal),
  ] as const)
  return { secrets, ...(profile ? { profile } : {}), ...(object ? { object } : {}) }
}

export interface ParamsSource {
  readonly spec: ActionSpec
  readonly action: Pick<RunAction, 'phases' | 'deferPhase'>
  readonly inputs: FrozenInputs
  readonly live: LiveInputs
  /** Secrets and ConfigMaps of the phases that have started, by index. */
  readonly fetched: ReadonlyMap<number | 'defer', Fetched>
}

/** The variables as they are now: phases that have not started are not there yet. */
export function buildParams({ spec, action, inputs, live, fetched }: ParamsSource): TemplateParams {
  const phases = action.phases.flatMap((phase, index) => {
    const objects = fetched.get(index)
    return objects ? [[phase.name, phaseParams(phase, objects)] as const] : []
  })
  const deferred = fetched.get('defer')
  return {
    ...targetParams(spec.object ?? {}, inputs),
    ArtifactsIn: (spec.artifacts ?? {}) as Record<string, ArtifactParams>,
    ConfigMaps: (inputs.configMaps ?? {}) as Record<string, ConfigMapParams>,
    Secrets: live.secrets,
    Time: inputs.time,
    ...(live.profile ? { Profile: live.profile } : {}),
    Options: spec.options ?? {},
    ...(live.object ? { Object: live.object } : {}),
    Phases: Object.fromEntries(phases),
    DeferPhase: action.deferPhase && deferred ? phaseParams(action.deferPhase, deferred) : {},
    ...(spec.podOverride ? { PodOverride: spec.podOverride as JsonObject } : {}),
    PodAnnotations: spec.podAnnotations ?? {},
    PodLabels: spec.podLabels ?? {},
  }
}

function phaseParams(phase: RunPhase, objects: Fetched): PhaseParams {
  return {
    Secrets: objects.secrets,
    ConfigMaps: objects.configMaps,
    ...(phase.state === 'complete' ? { Output: (phase.output ?? {}) as JsonObject } : {}),
  }
}

async function openProfile(
  reader: ClusterReader,
  action: ActionSpec,
  signal: AbortSignal,
): Promise<{ readonly frozen: FrozenProfile; readonly params: ProfileParams } | undefined> {
  if (!action.profile) return undefined
  const frozen = await freezeProfile(reader, action.profile, signal)
  return { frozen, params: await resolveProfile(reader, frozen, signal) }
}

function mapValues<T, R>(record: Readonly<Record<string, T>>, change: (value: T) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]))
}
