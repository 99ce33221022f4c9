import type { Blueprint, BlueprintAction, BlueprintPhase } from '../api/blueprint.ts'
import { fieldAnnotations } from '../api/names.ts'
import { type AnnotatedPolicy, readPolicies } from '../api/phase-policy.ts'

/**
 * An action with the timeout, retry and resume that the annotation of its Blueprint gives it and its phases: a Kanister beside us prunes the
 * fields. A field that is there wins. What the annotation names and the action does not have is a fault, since somebody relies on it.
 */
export function applyPolicies(
  blueprint: Blueprint,
  actionName: string,
  action: BlueprintAction,
): { readonly action: BlueprintAction; readonly faults: readonly string[] } {
  const annotation = fieldAnnotations.phasePolicies
  const { policies, faults } = readPolicies(blueprint.metadata.annotations?.[annotation])
  if (faults.length > 0) return { action, faults: faults.map((fault) => `annotation ${annotation}: ${fault}`) }
  const prefix = `${actionName}/`
  const all = [...(action.phases ?? []), ...(action.deferPhase ? [action.deferPhase] : [])]
  const unknown = Object.keys(policies).filter(
    (owner) => owner.startsWith(prefix) && !all.some(({ name }) => owner === `${prefix}${name ?? ''}`),
  )
  const withPolicy = (phase: BlueprintPhase): BlueprintPhase => ({ ...policies[`${prefix}${phase.name ?? ''}`], ...phase })
  const ofAction: AnnotatedPolicy = policies[actionName] ?? {}
  return {
    action: {
      ...ofAction,
      ...action,
      ...(action.phases ? { phases: action.phases.map(withPolicy) } : {}),
      ...(action.deferPhase ? { deferPhase: withPolicy(action.deferPhase) } : {}),
    },
    faults: unknown.map((owner) => `annotation ${annotation} names phase ${owner}, which does not exist`),
  }
}
