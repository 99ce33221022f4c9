import { parseDocument } from 'yaml'
import type { LintFinding } from '../../../lint/finding.ts'
import { textOfPath } from '../../../lint/finding.ts'
import { lintBlueprintText } from '../../../lint/lint.ts'
import { allPhases, readFacts } from '../../../lint/blueprint-facts.ts'
import { markedFinding } from './marked-finding.ts'
import type { BlueprintDeps } from './deps.ts'

interface Check {
  readonly name: string
  /** Findings at this path or below belong to it. */
  readonly path: string
}

/**
 * kanctl's `validate blueprint`: a line for each phase in its words, then everything that lint has to say on stderr. Where
 * kanctl stops at the first failure, all checks are made.
 */
export async function validateBlueprint(file: string, deps: BlueprintDeps): Promise<number> {
  const { output } = deps
  output.err(`Reading blueprint from path: ${file}\n`)
  const text = await deps.readText(file)
  const findings = lintBlueprintText(text)
  const errors = findings.filter((finding) => finding.severity === 'error')
  const left = new Set(errors)
  for (const check of checksOf(text, errors)) {
    const failed = errors.filter((error) => left.has(error) && isBelow(error.where, check.path))
    for (const error of failed) left.delete(error)
    output.out(failed.length > 0 ? `Failed the '${check.name}' check.. ❌\n` : `Passed the '${check.name}' check.. ✅\n`)
  }
  if (left.size > 0) output.out(`Failed the 'validation of the blueprint' check.. ❌\n`)
  for (const finding of findings) output.err(`${markedFinding(finding, file)}\n`)
  if (errors.length > 0) return 1
  output.out('All checks passed.. ✅\n\n')
  return 0
}

function checksOf(text: string, errors: readonly LintFinding[]): readonly Check[] {
  if (errors.some(({ code }) => code === 'LINT_YAML' || code === 'LINT_NOT_BLUEPRINT')) return []
  const { actions } = readFacts(parseDocument(text, { version: '1.1', merge: true }).toJS())
  return actions.flatMap((action) => [
    ...allPhases(action).map((phase) => ({
      name: `validation of phase ${phase.name} in action ${action.name}`,
      path: textOfPath(phase.path),
    })),
    { name: `validation of action ${action.name}`, path: textOfPath(action.path) },
  ])
}

function isBelow(where: string, path: string): boolean {
  return where === path || where.startsWith(`${path}.`) || where.startsWith(`${path}[`)
}
