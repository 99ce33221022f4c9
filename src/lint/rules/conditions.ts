import { messageOf } from '../../base/errors.ts'
import { analyseTemplate } from '../../template/analysis.ts'
import { kubectlFunctions } from '../../template/wait.ts'
import { TemplateRenderer } from '../../template/render.ts'
import { functionLibrary } from '../../template/functions/registry.ts'
import { allPhases, isMap, type PhaseFacts } from '../blueprint-facts.ts'
import type { Draft, Path } from '../finding.ts'
import type { LintRule } from '../rule.ts'

/** Conditions of Wait and WaitV2: Go templates whatever the Blueprint's language, over the object that is waited for. */
export const checkConditions: LintRule = ({ actions }) =>
  actions.flatMap(allPhases).flatMap((phase) => {
    if (!phase.found.fn?.rendersItself || !isMap(phase.args)) return []
    return conditionsIn(phase.args['conditions'], [...phase.path, 'args', 'conditions']).flatMap((each) =>
      checkOne(each, phase),
    )
  })

interface Condition {
  readonly text: string
  readonly path: Path
}

function conditionsIn(value: unknown, path: Path): readonly Condition[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => conditionsIn(item, [...path, index]))
  if (!isMap(value)) return []
  return Object.entries(value).flatMap(([key, item]) =>
    key === 'condition' && typeof item === 'string'
      ? [{ text: item, path: [...path, key] }]
      : conditionsIn(item, [...path, key]),
  )
}

function checkOne({ text, path }: Condition, phase: PhaseFacts): readonly Draft[] {
  const isPlain = phase.func === 'WaitV2'
  // Wait puts what a JSONPath finds in its place before the template is parsed: a word of the same length keeps the columns.
  const template = isPlain ? text : text.replace(/\{\s*\$[^}]*\}/g, (found) => '0'.padEnd(found.length))
  const { faults } = analyseTemplate(template, 'GoTemplate', isPlain ? kubectlFunctions : functionLibrary)
  if (isPlain || faults.length > 0) {
    return faults.map(({ message, place }) => ({ severity: 'error', code: 'LINT_TEMPLATE', message, path, spot: place }))
  }
  return checkPaths(text).map((message) => ({ severity: 'error', code: 'LINT_TEMPLATE', message, path }))
}

/** What the phase itself refuses before its first look: JSONPaths that do not parse, or stand outside of quotes. */
function checkPaths(text: string): readonly string[] {
  try {
    new TemplateRenderer({ library: functionLibrary }).checkCondition('Wait', text)
    return []
  } catch (error) {
    return [`${messageOf(error)}; JSONPaths of the object stand in quotes, as in {{ eq "{ $.status.phase }" "Bound" }}`]
  }
}
