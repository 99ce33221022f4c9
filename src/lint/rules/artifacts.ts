import type { Draft } from '../finding.ts'
import type { LintRule } from '../rule.ts'
import { didYouMean } from '../finding.ts'
import { nearestNames } from '../../template/nearest.ts'

/** Artifacts that an action asks for and no action of the Blueprint leaves; those that hold nothing. */
export const checkArtifacts: LintRule = ({ actions, artifacts }) =>
  actions.flatMap((action) => {
    const asked = (action.inputArtifacts ?? []).flatMap((name, index): readonly Draft[] => {
      if (artifacts.size === 0 || artifacts.has(name)) return []
      const near = nearestNames(name, artifacts.keys(), 1)
      const message = `no action of this Blueprint leaves an artifact "${name}"${didYouMean(near)}`
      const severity = near.length > 0 ? 'error' : 'warning'
      return [{ severity, code: 'LINT_ARTIFACT', message, path: [...action.path, 'inputArtifactNames', index] }]
    })
    const empty = action.outputs.flatMap((output): readonly Draft[] => {
      if (output.kopiaSnapshot || Object.keys(output.keyValue).length > 0) return []
      const message = `artifact "${output.name}" holds nothing: it has neither keyValue nor kopiaSnapshot`
      return [{ severity: 'warning', code: 'LINT_ARTIFACT', message, path: output.path }]
    })
    return [...asked, ...empty]
  })
