import { fieldAnnotations } from '../../api/names.ts'
import { readPolicies } from '../../api/phase-policy.ts'
import type { LintRule } from '../rule.ts'

/** The annotation that stands for timeout, retry and resume: well formed, and of actions and phases that there are. */
export const checkPolicies: LintRule = ({ actions, policies: text }) => {
  const { policies, faults } = readPolicies(text)
  const owners = actions.flatMap(({ name, phases, deferPhase }) => [
    name,
    ...[...phases, ...(deferPhase ? [deferPhase] : [])].map((phase) => `${name}/${phase.name}`),
  ])
  const unknown = Object.keys(policies).filter((owner) => !owners.includes(owner))
  return [
    ...faults,
    ...unknown.map((owner) => `"${owner}" is no action or phase of this Blueprint; write it as action or action/phase`),
  ].map((fault) => ({
    severity: 'error',
    code: 'LINT_FIELD',
    message: `annotation ${fieldAnnotations.phasePolicies}: ${fault}`,
    path: ['metadata', 'annotations'],
  }))
}
