import { nearestNames } from '../../template/nearest.ts'
import type { UsedPath } from '../../template/template-uses.ts'
import type { BlueprintFacts } from '../blueprint-facts.ts'
import { didYouMean } from '../finding.ts'
import type { TemplateText } from '../template-texts.ts'
import type { UseProblem } from './use-problem.ts'

/** `.ArtifactsIn`, `.Secrets` and `.ConfigMaps`: what the ActionSet is expected to bring was declared, and someone leaves it. */
export function checkArtifactUse(use: UsedPath, template: TemplateText, facts: BlueprintFacts): readonly UseProblem[] {
  const [root, name, field, key] = use.parts
  const { action } = template
  if (name === undefined || name === '*') return []
  switch (root) {
    case 'ArtifactsIn':
      return [
        ...checkDeclared(name, 'inputArtifactNames', action.inputArtifacts, [...facts.artifacts.keys()]),
        ...checkContent(facts, name, field, key),
      ]
    case 'Secrets':
      return checkDeclared(name, 'secretNames', action.secretNames)
    case 'ConfigMaps':
      return checkDeclared(name, 'configMapNames', action.configMapNames)
    default:
      return []
  }
}

/** Nobody enforces these lists; they tell whoever writes an ActionSet what it must bring. */
function checkDeclared(
  name: string,
  list: string,
  declared: readonly string[] = [],
  known: readonly string[] = [],
): readonly UseProblem[] {
  if (declared.includes(name)) return []
  const near = known.includes(name) ? [] : nearestNames(name, [...declared, ...known], 1)
  const message = `"${name}" is not among the ${list} of the action${didYouMean(near)}`
  return [{ severity: near.length > 0 ? 'error' : 'warning', code: 'LINT_ARTIFACT', message }]
}

function checkContent(facts: BlueprintFacts, name: string, field?: string, key?: string): readonly UseProblem[] {
  const artifact = facts.artifacts.get(name)
  if (!artifact) return []
  if (field === 'KopiaSnapshot' && !artifact.hasSnapshot) {
    return [
      { severity: 'warning', code: 'LINT_ARTIFACT', message: `no action here sets a kopiaSnapshot of the artifact "${name}"` },
    ]
  }
  if (field !== 'KeyValue' || key === undefined || key === '*' || artifact.keys.has(key)) return []
  const near = nearestNames(key, artifact.keys, 1)
  const message = `no action here sets "${key}" of the artifact "${name}"${didYouMean(near)}`
  return [{ severity: near.length > 0 ? 'error' : 'warning', code: 'LINT_ARTIFACT', message }]
}
