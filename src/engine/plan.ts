import { createHash } from 'node:crypto'
import type { ActionSet, ActionSpec, ActionSetStatus } from '../api/actionset.ts'
import { states } from '../api/actionset.ts'
import type { Blueprint, BlueprintAction, BlueprintPhase, TemplateLanguage } from '../api/blueprint.ts'
import { fieldAnnotations } from '../api/names.ts'
import { policyFaults } from '../api/phase-policy.ts'
import type { RunActionSpec } from '../api/run.ts'
import { messageOf } from '../base/errors.ts'
import type { PhaseFunction } from '../functions/define.ts'
import { applyPolicies } from './annotated-policies.ts'
import { checkArgNames, checkFixedArgs, nameArgs } from './args.ts'
import { readExecutionMode } from './execution-mode.ts'
import { findTooLarge } from './limits.ts'
import { readQueueRequest } from './queue-request.ts'
import { markSuspended } from './suspended-phases.ts'

/**
 * Looks at an ActionSet, its Blueprints and the functions, and says what is wrong before anything is made or run. Used by the
 * operator, the webhook and the CLI. Pure: whoever calls has read the Blueprints.
 */
export interface PlanRequest {
  readonly actionSet: Pick<ActionSet, 'metadata' | 'spec' | 'status'>
  /** Blueprints of the ActionSet's namespace by name. */
  readonly blueprints: ReadonlyMap<string, Blueprint>
  readonly findFunction: FindFunction
}

/** Throws, in Kanister's words, when there is no such function or version. */
export type FindFunction = (name: string, preferredVersion: string) => PhaseFunction

/**
 * - `spec`: the ActionSet itself makes no sense.
 * - `init`: a Blueprint or its action is not there.
 * - `launch`: the Blueprint names a function or arguments that cannot be.
 */
export type PlanStage = 'spec' | 'init' | 'launch'

export interface PlanFinding {
  readonly stage: PlanStage
  readonly message: string
  readonly actionIndex?: number
  readonly phase?: string
}

export interface Plan {
  readonly findings: readonly PlanFinding[]
  /** Frozen actions for the Run; complete only when there are no findings. */
  readonly actions: readonly RunActionSpec[]
}

export function planActionSet(request: PlanRequest): Plan {
  const ofSpec = checkSpec(request.actionSet)
  if (ofSpec.length > 0) return { findings: ofSpec, actions: [] }
  const specs = request.actionSet.spec?.actions ?? []
  const planned = specs.map((action, index) => planAction(request, action, index))
  const actions = planned.flatMap((each) => each.action ?? [])
  const tooLarge = findTooLarge(actions)
  const ofSize = tooLarge === undefined ? [] : [{ stage: 'spec' as const, message: tooLarge }]
  return { findings: [...planned.flatMap((each) => each.findings), ...ofSize], actions }
}

const typedKinds = ['statefulset', 'deployment', 'pvc', 'deploymentconfig', 'namespace', 'unstructured']

function checkSpec(actionSet: Pick<ActionSet, 'metadata' | 'spec' | 'status'>): PlanFinding[] {
  const { spec, status } = actionSet
  if (!spec) return [{ stage: 'spec', message: 'Spec must be non-nil: Validation Failed' }]
  const actions = spec.actions ?? []
  const findings = actions.flatMap((action, actionIndex) => {
    const object = action.object ?? {}
    if (typedKinds.includes((object.kind ?? '').toLowerCase()) || (object.apiVersion && object.resource)) return []
    const message = `Not a known object Kind ${object.kind ?? ''}. Action ${action.name ?? ''} must specify Resource name and API version: Validation Failed`
    return [{ stage: 'spec' as const, message, actionIndex }]
  })
  const ofFields = [readExecutionMode(actionSet).finding ?? [], readQueueRequest(actionSet).findings].flat().map((message) => ({
    stage: 'spec' as const,
    message: `${message}: Validation Failed`,
  }))
  return [...findings, ...ofFields, ...checkGivenStatus(actions.length, status)]
}

/** A status that came with the ActionSet (kubectl create of a restored one). */
function checkGivenStatus(actionCount: number, status: ActionSetStatus | undefined): PlanFinding[] {
  if (!status) return []
  if ((status.actions?.length ?? 0) !== actionCount) {
    return [{ stage: 'spec', message: 'Number of actions in status actions and spec must match: Validation Failed' }]
  }
  if (!states.some((state) => state === status.state)) {
    return [{ stage: 'spec', message: `ActionSet has unknown state '${status.state ?? ''}': Validation Failed` }]
  }
  return []
}

interface PlannedAction {
  readonly findings: readonly PlanFinding[]
  readonly action?: RunActionSpec
}

function planAction(request: PlanRequest, action: ActionSpec, actionIndex: number): PlannedAction {
  const at = (stage: PlanStage, message: string, phase?: string): PlanFinding => ({
    stage,
    message,
    actionIndex,
    ...(phase === undefined ? {} : { phase }),
  })
  const name = action.blueprint ?? ''
  if (name === '') return { findings: [at('init', 'Blueprint is not specified for action')] }
  const blueprint = request.blueprints.get(name)
  if (!blueprint) {
    const { namespace } = request.actionSet.metadata
    const message = `Failed to query blueprint: blueprints.cr.kanister.io "${name}" not found; create it in namespace ${namespace}, or name another`
    return { findings: [at('init', message)] }
  }
  const found = blueprint.actions?.[action.name ?? '']
  if (!found) return { findings: [at('init', missingAction(action, name, blueprint))] }
  const phases = [...(found.phases ?? []), ...(found.deferPhase ? [found.deferPhase] : [])]
  const findings = phases.flatMap((phase) =>
    checkPhase(request.findFunction, phase, action.preferredVersion ?? '').map((message) => at('launch', message, phase.name)),
  )
  const ofPolicies = [found, ...phases].flatMap((owner) =>
    policyFaults(owner).map(({ message }) => at('launch', message, owner === found ? undefined : owner.name)),
  )
  const marked = markSuspended(blueprint, action.name ?? '', found)
  const applied = applyPolicies(blueprint, action.name ?? '', marked.action)
  const ofAnnotations = [...marked.faults, ...applied.faults].map((message) => at('launch', message))
  return { findings: [...findings, ...ofPolicies, ...ofAnnotations], action: freeze(action, blueprint, applied.action) }
}

function missingAction(action: ActionSpec, name: string, blueprint: Blueprint): string {
  const known = Object.entries(blueprint.actions ?? {}).flatMap(([key, value]) => (value ? [key] : []))
  const kind = action.object?.kind ?? ''
  const offer = known.length > 0 ? `; it has ${known.join(', ')}` : '; it has no actions'
  return `Action ${action.name ?? ''} for object kind ${kind} not found in blueprint ${name}${offer}`
}

/** Messages in Kanister's words; a phase may have several faults. */
export function checkPhase(findFunction: FindFunction, phase: BlueprintPhase, preferredVersion: string): string[] {
  let fn: PhaseFunction
  try {
    fn = findFunction(phase.func ?? '', preferredVersion)
  } catch (error) {
    return [messageOf(error)]
  }
  const { named, faults } = nameArgs(fn, phase.args)
  if (faults.length > 0) return [...faults]
  return [...checkArgNames(fn, named), ...(fn.rendersItself ? [] : checkFixedArgs(fn, named))]
}

function freeze(action: ActionSpec, blueprint: Blueprint, found: BlueprintAction): RunActionSpec {
  return { action, blueprint: found, templateLanguage: languageOf(blueprint), blueprintHash: hashOf(blueprint) }
}

/** The field, or the annotation of the same meaning where a Kanister's CRD pruned the field. */
export function languageOf(blueprint: Blueprint): TemplateLanguage {
  const annotated = blueprint.metadata.annotations?.[fieldAnnotations.templateLanguage]
  return blueprint.templateLanguage ?? (annotated === 'Handlebars' ? 'Handlebars' : 'GoTemplate')
}

/** By which a Run remembers which Blueprint it is of. */
export function hashOf(blueprint: Blueprint): string {
  const { actions, templateLanguage } = blueprint
  return createHash('sha256').update(JSON.stringify({ actions, templateLanguage })).digest('hex')
}
