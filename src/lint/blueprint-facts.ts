import type { TemplateLanguage } from '../api/blueprint.ts'
import { fieldAnnotations } from '../api/names.ts'
import type { Path } from './finding.ts'
import { type FoundFunction, lookUpFunction } from './known-function.ts'

/** A Blueprint as the rules read it: what has the right shape, with the path it stands at. Mistakes of shape are another rule's. */
export interface BlueprintFacts {
  readonly language: TemplateLanguage
  readonly actions: readonly ActionFacts[]
  /** Phases that an annotation makes wait for approval, as `action/phase`. */
  readonly suspended: readonly string[]
  /** The text of the annotation with timeout, retry and resume. */
  readonly policies?: string
  /** What actions of this Blueprint leave behind, by artifact. */
  readonly artifacts: ReadonlyMap<string, ArtifactFacts>
}

export interface ActionFacts {
  readonly name: string
  readonly path: Path
  /** Kind of object that the action says it is for, in lower case. */
  readonly kind?: string
  readonly inputArtifacts?: readonly string[]
  readonly secretNames?: readonly string[]
  readonly configMapNames?: readonly string[]
  readonly outputs: readonly OutputArtifact[]
  readonly phases: readonly PhaseFacts[]
  readonly deferPhase?: PhaseFacts
}

export interface OutputArtifact {
  readonly name: string
  readonly path: Path
  readonly keyValue: Readonly<Record<string, unknown>>
  readonly kopiaSnapshot?: unknown
}

export interface ArtifactFacts {
  readonly keys: ReadonlySet<string>
  readonly hasSnapshot: boolean
}

export interface PhaseFacts {
  readonly name: string
  readonly path: Path
  /** Position among the phases; that of a deferred phase is behind all of them. */
  readonly order: number
  readonly isDeferred: boolean
  /** It waits for approval. */
  readonly suspends: boolean
  readonly func: string
  readonly found: FoundFunction
  readonly args: unknown
  readonly objects: Readonly<Record<string, unknown>>
}

export function readFacts(blueprint: unknown): BlueprintFacts {
  const root = asMap(blueprint)
  const actions = Object.entries(asMap(root['actions'])).map(([name, action]) => readAction(name, asMap(action)))
  return {
    language: readLanguage(root),
    actions,
    suspended: readSuspended(root),
    ...readPolicyText(root),
    artifacts: collectArtifacts(actions),
  }
}

function readPolicyText(root: Readonly<Record<string, unknown>>): Pick<BlueprintFacts, 'policies'> {
  const policies = asText(asMap(asMap(root['metadata'])['annotations'])[fieldAnnotations.phasePolicies])
  return policies === undefined ? {} : { policies }
}

function readLanguage(root: Readonly<Record<string, unknown>>): TemplateLanguage {
  const annotations = asMap(asMap(root['metadata'])['annotations'])
  const said = root['templateLanguage'] ?? annotations[fieldAnnotations.templateLanguage]
  return said === 'Handlebars' ? 'Handlebars' : 'GoTemplate'
}

function readSuspended(root: Readonly<Record<string, unknown>>): readonly string[] {
  const text = asText(asMap(asMap(root['metadata'])['annotations'])[fieldAnnotations.suspend]) ?? ''
  return text.split(/[\s,]+/).filter((word) => word !== '')
}

function readAction(name: string, action: Readonly<Record<string, unknown>>): ActionFacts {
  const path = ['actions', name]
  const raw = Array.isArray(action['phases']) ? (action['phases'] as unknown[]) : []
  const phases = raw.map((phase, index) => readPhase(asMap(phase), [...path, 'phases', index], index, false))
  const kind = asText(action['kind']) ?? asText(action['type'])
  const deferred = isMap(action['deferPhase'])
    ? readPhase(action['deferPhase'], [...path, 'deferPhase'], raw.length, true)
    : undefined
  return {
    name,
    path,
    ...(kind ? { kind: kind.toLowerCase() } : {}),
    ...namesOf('inputArtifacts', action['inputArtifactNames']),
    ...namesOf('secretNames', action['secretNames']),
    ...namesOf('configMapNames', action['configMapNames']),
    outputs: Object.entries(asMap(action['outputArtifacts'])).map(([artifact, value]) => ({
      name: artifact,
      path: [...path, 'outputArtifacts', artifact],
      keyValue: asMap(asMap(value)['keyValue']),
      kopiaSnapshot: asMap(value)['kopiaSnapshot'],
    })),
    phases,
    ...(deferred ? { deferPhase: deferred } : {}),
  }
}

function readPhase(phase: Readonly<Record<string, unknown>>, path: Path, order: number, isDeferred: boolean): PhaseFacts {
  const func = asText(phase['func']) ?? ''
  const name = asText(phase['name']) ?? ''
  const found = func === '' ? { isOffered: false } : lookUpFunction(func)
  const suspends = phase['suspend'] === true
  return { name, path, order, isDeferred, suspends, func, found, args: phase['args'], objects: asMap(phase['objects']) }
}

function collectArtifacts(actions: readonly ActionFacts[]): ReadonlyMap<string, ArtifactFacts> {
  const artifacts = new Map<string, { keys: Set<string>; hasSnapshot: boolean }>()
  for (const { name, keyValue, kopiaSnapshot } of actions.flatMap((action) => action.outputs)) {
    const facts = artifacts.get(name) ?? { keys: new Set<string>(), hasSnapshot: false }
    for (const key of Object.keys(keyValue)) facts.keys.add(key)
    artifacts.set(name, { keys: facts.keys, hasSnapshot: facts.hasSnapshot || Boolean(kopiaSnapshot) })
  }
  return artifacts
}

/** Phases of an action, the deferred one last. */
export function allPhases(action: ActionFacts): readonly PhaseFacts[] {
  return action.deferPhase ? [...action.phases, action.deferPhase] : action.phases
}

export function describePhase(phase: PhaseFacts): string {
  return `${phase.isDeferred ? 'deferred phase' : 'phase'} "${phase.name || phase.order}"`
}

function namesOf<Field extends string>(field: Field, value: unknown): { readonly [name in Field]?: readonly string[] } {
  if (!Array.isArray(value)) return {}
  const names = value.filter((item): item is string => typeof item === 'string')
  // The one key is `field`; a computed key has the type of any text.
  return { [field]: names } as unknown as { readonly [name in Field]?: readonly string[] }
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function asMap(value: unknown): Readonly<Record<string, unknown>> {
  return isMap(value) ? value : {}
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
