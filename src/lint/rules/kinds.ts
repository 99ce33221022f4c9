import { nearestNames } from '../../template/nearest.ts'
import type { UsedPath } from '../../template/template-uses.ts'
import { didYouMean } from '../finding.ts'
import type { LintRule } from '../rule.ts'
import type { TemplateText } from '../template-texts.ts'
import type { UseProblem } from './use-problem.ts'

/** Variables that are set for one kind of object only, and that kind as ActionSets write it. */
const typedKinds: Readonly<Record<string, string>> = {
  StatefulSet: 'statefulset',
  Deployment: 'deployment',
  DeploymentConfig: 'deploymentconfig',
  PVC: 'pvc',
  Namespace: 'namespace',
}

/** Kinds that are no kind of the engine's, and close to one. Any other may be meant: an action can act on any object. */
export const checkKinds: LintRule = ({ actions }) =>
  actions.flatMap((action) => {
    const { kind } = action
    if (kind === undefined || Object.values(typedKinds).includes(kind)) return []
    const near = nearestNames(kind, Object.keys(typedKinds), 1)
    if (near.length === 0) return []
    return [
      {
        severity: 'warning',
        code: 'LINT_KIND',
        message: `"${kind}" is a kind of its own${didYouMean(near)}`,
        path: [...action.path, 'kind'],
      },
    ]
  })

/** At most one of the typed objects is set: the one acted on. */
export function checkKindUse(use: UsedPath, template: TemplateText): readonly UseProblem[] {
  const [root = ''] = use.parts
  const { kind } = template.action
  const wanted = Object.hasOwn(typedKinds, root) ? typedKinds[root] : undefined
  const isKnown = kind !== undefined && Object.values(typedKinds).includes(kind)
  if (wanted === undefined || !isKnown || kind === wanted || use.isCondition || use.isOptional) return []
  // A branch may have asked for the kind before.
  if (asksFor(template, root)) return []
  const message = `action "${template.action.name}" is meant for a ${kind}; ${root} is not set there`
  return [{ severity: 'warning', code: 'LINT_KIND', message }]
}

function asksFor(template: TemplateText, root: string): boolean {
  return (template.analysis.uses?.paths ?? []).some((use) => use.parts[0] === root && use.isCondition)
}
