import { followContextPath, objectMetadataNames } from '../../template/context-paths.ts'
import { nearestNames } from '../../template/nearest.ts'
import type { UsedPath } from '../../template/template-uses.ts'
import { didYouMean, type Draft } from '../finding.ts'
import type { LintRule } from '../rule.ts'
import { spotIn, type TemplateText } from '../template-texts.ts'
import { checkArtifactUse } from './artifact-use.ts'
import { checkPhaseUse } from './phase-use.ts'
import type { UseProblem } from './use-problem.ts'

/** What templates ask for can be there at the moment when they are rendered. */
export const checkVariables: LintRule = (facts, templates) =>
  templates.flatMap((template) => {
    const drafts = (template.analysis.uses?.paths ?? []).flatMap((use) => {
      const problems = [
        ...checkDeclared(use),
        ...checkPhaseUse(use, template),
        ...checkArtifactUse(use, template, facts),
        ...checkKind(use, template),
      ]
      const spot = spotIn(template, use.place)
      return problems.map((problem): Draft => ({ ...problem, path: template.path, spot }))
    })
    // A script may ask for the same thing many times.
    return [...new Map(drafts.toReversed().map((draft) => [draft.message, draft])).values()].toReversed()
  })

function checkDeclared(use: UsedPath): readonly UseProblem[] {
  const { parts } = use
  if (parts[0] === 'RepositoryServer') {
    return [
      variable(
        'warning',
        '.RepositoryServer was removed from Kanister in 2026 and is not here: use a Profile with BackupData or BackupStream',
      ),
    ]
  }
  const end = followContextPath(parts)
  if ('missingAt' in end) {
    const { missingAt, holder, names } = end
    const part = parts[missingAt] ?? ''
    const near = nearestNames(part, names, 2)
    const offer = near.length > 0 ? didYouMean(near) : names.length > 0 ? `; it has ${names.join(', ')}` : ''
    const place = missingAt === 0 ? 'templates' : `"${parts.slice(0, missingAt).join('.')}"`
    const fact =
      holder.kind === 'struct' ? `no field "${part}"` : `nothing called "${part}" in it: it is of type ${holder.name}`
    return [variable('error', `${place} ${missingAt === 0 ? 'have' : 'has'} ${fact}${offer}`)]
  }
  if (use.argumentCount) {
    return [
      variable('error', `"${use.text}" is no function, so nothing may follow it; for a function of what follows write a "|"`),
    ]
  }
  if (parts[0] === 'CurrentPhase') return [variable('error', 'CurrentPhase is not set when arguments are rendered')]
  return parts[0] === 'Object' ? checkObjectPath(parts) : []
}

const objectFields = [
  'apiVersion',
  'kind',
  'metadata',
  'spec',
  'status',
  'data',
  'stringData',
  'binaryData',
  'type',
  'immutable',
]

/** The object is as the API server gives it; of its fields only those that all objects have are known. */
function checkObjectPath([, field, name]: readonly string[]): readonly UseProblem[] {
  if (field === undefined || field === '*') return []
  if (!objectFields.includes(field)) {
    const near = nearestNames(field, objectFields, 1)
    return near.length === 0 ? [] : [variable('error', `objects have no "${field}"${didYouMean(near)}`)]
  }
  if (field !== 'metadata' || name === undefined || name === '*' || objectMetadataNames.includes(name)) return []
  const near = nearestNames(name, objectMetadataNames, 1)
  const offer = near.length > 0 ? didYouMean(near) : ' (names are those of the JSON: .Object.metadata.name)'
  return [variable('error', `metadata of an object has no "${name}"${offer}`)]
}

const typedKinds: Readonly<Record<string, string>> = {
  StatefulSet: 'statefulset',
  Deployment: 'deployment',
  DeploymentConfig: 'deploymentconfig',
  PVC: 'pvc',
  Namespace: 'namespace',
}

/** At most one of the typed objects is set: the one acted on. */
function checkKind(use: UsedPath, template: TemplateText): readonly UseProblem[] {
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

function variable(severity: Draft['severity'], message: string): UseProblem {
  return { severity, code: 'LINT_VARIABLE', message }
}
