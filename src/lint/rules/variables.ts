import { followContextPath } from '../../template/context-paths.ts'
import { nearestNames } from '../../template/nearest.ts'
import type { UsedPath } from '../../template/template-uses.ts'
import { didYouMean, type Draft } from '../finding.ts'
import type { LintRule } from '../rule.ts'
import { spotIn } from '../template-texts.ts'
import { checkArtifactUse } from './artifact-use.ts'
import { checkKindUse } from './kinds.ts'
import { checkObjectUse } from './object-use.ts'
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
        ...checkObjectUse(use, template),
        ...checkKindUse(use, template),
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
  return []
}

function variable(severity: Draft['severity'], message: string): UseProblem {
  return { severity, code: 'LINT_VARIABLE', message }
}
