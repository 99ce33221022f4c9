import type { Blueprint, BlueprintAction } from '../api/blueprint.ts'
import { fieldAnnotations } from '../api/names.ts'

/**
 * An action with `suspend` at each phase that the annotation of its Blueprint names: a Kanister beside us prunes the field.
 * What the annotation names and the action does not have is a fault, since somebody relies on being asked.
 */
export function markSuspended(
  blueprint: Blueprint,
  actionName: string,
  action: BlueprintAction,
): { readonly action: BlueprintAction; readonly faults: readonly string[] } {
  const wanted = (blueprint.metadata.annotations?.[fieldAnnotations.suspend] ?? '')
    .split(/[\s,]+/)
    .filter((word) => word.startsWith(`${actionName}/`))
    .map((word) => word.slice(actionName.length + 1))
  const faults = action.deferPhase?.suspend
    ? [`the deferred phase of action ${actionName} cannot wait for approval: it must run in any case; take suspend away`]
    : []
  if (wanted.length === 0) return { action, faults }
  const phases = action.phases ?? []
  const unknown = wanted.filter((name) => !phases.some((phase) => phase.name === name))
  return {
    action: {
      ...action,
      phases: phases.map((phase) => (wanted.includes(phase.name ?? '') ? { ...phase, suspend: true } : phase)),
    },
    faults: [
      ...faults,
      ...unknown.map(
        (name) => `annotation ${fieldAnnotations.suspend} names phase ${actionName}/${name}, which does not exist`,
      ),
    ],
  }
}
