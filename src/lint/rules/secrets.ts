import type { UsedPath } from '../../template/template-uses.ts'
import type { Draft } from '../finding.ts'
import type { LintRule } from '../rule.ts'
import { spotIn, type TemplateText } from '../template-texts.ts'

/** Secrets that a template renders to where others can read them. One finding for each text, at the first. */
export const checkSecrets: LintRule = (_facts, templates) =>
  templates.flatMap((template): readonly Draft[] => {
    const where = exposure(template)
    const found = outermost((template.analysis.uses?.paths ?? []).filter((use) => isSecret(use) && !use.isCondition))
    const [first] = found
    if (!first || where === undefined) return []
    const more = found.length > 1 ? ` and ${found.length - 1} more` : ''
    const message = `the secret ${first.parts.join('.')}${more} is rendered ${where}`
    return [{ severity: 'warning', code: 'LINT_SECRET', message, path: template.path, spot: spotIn(template, first.place) }]
  })

/** `index .Secrets.a.Data "b"` uses the map and its entry: the entry says it all. */
function outermost(uses: readonly UsedPath[]): readonly UsedPath[] {
  const paths = uses.map((use) => use.parts.join('/'))
  return uses.filter((_use, at) => !paths.some((path) => path.startsWith(`${paths[at]}/`)))
}

/** Where a text ends up, if that is a place to be read by others. */
function exposure({ role, arg = '' }: TemplateText): string | undefined {
  if (role === 'artifacts') return "into an artifact: it can be read in the ActionSet's status and in the catalog"
  if (role !== 'args') return undefined
  if (/command$/i.test(arg)) {
    return 'into a command: it can be read in the list of processes and in the pod; let the script read it from a mounted Secret or the environment'
  }
  if (arg === 'podOverride') return 'into a pod: whoever may read pods reads it; use valueFrom.secretKeyRef or a volume'
  if (arg === 'spec') return 'into an object: whoever may read that reads it, unless it is a Secret'
  return /^pod(Labels|Annotations)$/.test(arg) ? 'into the metadata of a pod' : undefined
}

function isSecret({ parts }: UsedPath): boolean {
  const [root, second, third, fourth] = parts
  if (root === 'Profile') return second === undefined || (second === 'Credential' && third !== 'Type' && !isPublic(parts))
  if (root === 'Secrets') return second !== undefined && (third === undefined || isSecretField(third))
  const ofPhase = root === 'Phases' ? [third, parts[3], parts[4]] : root === 'DeferPhase' ? [second, third, fourth] : []
  return ofPhase[0] === 'Secrets' && ofPhase[1] !== undefined && (ofPhase[2] === undefined || isSecretField(ofPhase[2]))
}

function isSecretField(field: string): boolean {
  return field === 'Data' || field === 'StringData'
}

/** An access key's id alone opens nothing. */
function isPublic(parts: readonly string[]): boolean {
  return parts.at(-1) === 'ID' || parts.at(-1) === 'Name'
}
