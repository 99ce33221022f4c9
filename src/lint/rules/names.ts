import { type ActionFacts, allPhases, describePhase, type PhaseFacts } from '../blueprint-facts.ts'
import type { Draft } from '../finding.ts'
import type { LintRule } from '../rule.ts'

/** Phases have names, each its own: `.Phases.<name>` is how others reach them. */
export const checkNames: LintRule = ({ actions }) => [
  ...actions.flatMap((action) => allPhases(action).flatMap(missingName)),
  ...actions.flatMap(twiceInAction),
  ...twiceInBlueprint(actions),
]

function missingName(phase: PhaseFacts): readonly Draft[] {
  if (phase.name !== '') return []
  const severity = phase.isDeferred ? 'warning' : 'error'
  return [{ severity, code: 'LINT_PHASE_NAME', message: `${describePhase(phase)} has no name`, path: phase.path }]
}

function twiceInAction(action: ActionFacts): readonly Draft[] {
  const named = allPhases(action).filter((phase) => phase.name !== '')
  return named.flatMap((phase, at) => {
    const first = named.findIndex((other) => other.name === phase.name)
    if (first === at) return []
    const message = `action "${action.name}" has two phases "${phase.name}": each name may be used once`
    return [{ severity: 'error', code: 'LINT_PHASE_NAME', message, path: [...phase.path, 'name'] }]
  })
}

/** Harmless here; Kanister's validation refuses it. */
function twiceInBlueprint(actions: readonly ActionFacts[]): readonly Draft[] {
  const owners = new Map<string, string>()
  const drafts: Draft[] = []
  for (const action of actions) {
    for (const { name, path } of allPhases(action)) {
      const owner = owners.get(name) ?? action.name
      owners.set(name, owner)
      if (name === '' || owner === action.name) continue
      const message = `action "${owner}" has a phase "${name}" too; Kanister's validation refuses a Blueprint that uses a name twice`
      drafts.push({ severity: 'warning', code: 'LINT_PHASE_NAME', message, path: [...path, 'name'] })
    }
  }
  return drafts
}
