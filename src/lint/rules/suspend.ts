import { fieldAnnotations } from '../../api/names.ts'
import type { LintRule } from '../rule.ts'

/** Who relies on being asked must be asked; and what unlocks an application may wait for nobody. */
export const checkSuspend: LintRule = ({ actions, suspended }) => [
  ...actions.flatMap(({ deferPhase }) => {
    if (!deferPhase?.suspends) return []
    const message = 'a deferred phase cannot wait for approval: it runs in any case'
    return [{ severity: 'error' as const, code: 'LINT_SUSPEND' as const, message, path: [...deferPhase.path, 'suspend'] }]
  }),
  ...suspended.flatMap((word) => {
    if (actions.some(({ name, phases }) => phases.some((phase) => word === `${name}/${phase.name}`))) return []
    const message = `annotation ${fieldAnnotations.suspend} names "${word}": it is no phase of this Blueprint; write it as action/phase`
    return [{ severity: 'error' as const, code: 'LINT_SUSPEND' as const, message, path: ['metadata', 'annotations'] }]
  }),
]
