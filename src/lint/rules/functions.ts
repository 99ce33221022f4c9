import { removedFunctions } from '../../functions/removed.ts'
import { allPhases, describePhase } from '../blueprint-facts.ts'
import type { Draft } from '../finding.ts'
import type { LintRule } from '../rule.ts'

/** Phases name functions that exist. What Kanister has and this engine has not yet is a warning. */
export const checkFunctions: LintRule = ({ actions }) =>
  actions.flatMap(allPhases).flatMap((phase): readonly Draft[] => {
    const { func, found } = phase
    const path = [...phase.path, 'func']
    if (func === '') {
      return [
        { severity: 'error', code: 'LINT_FUNCTION', message: `${describePhase(phase)} names no function`, path: phase.path },
      ]
    }
    if (found.isOffered) return []
    const advice = Object.hasOwn(removedFunctions, func) ? `: ${removedFunctions[func]}` : ''
    return found.fn
      ? [{ severity: 'warning', code: 'LINT_FUNCTION_NOT_OFFERED', message: `${found.message}${advice}`, path }]
      : [{ severity: 'error', code: 'LINT_FUNCTION', message: found.message ?? '', path }]
  })
