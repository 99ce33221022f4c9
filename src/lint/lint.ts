import { type Document, LineCounter, parseAllDocuments } from 'yaml'
import type { TemplatePlace } from '../template/template-uses.ts'
import { readFacts } from './blueprint-facts.ts'
import { type Draft, type LintFinding, type Path, textOfPath } from './finding.ts'
import type { LintRule } from './rule.ts'
import { checkArguments } from './rules/arguments.ts'
import { checkArtifacts } from './rules/artifacts.ts'
import { checkConditions } from './rules/conditions.ts'
import { checkFields } from './rules/fields.ts'
import { checkFunctions } from './rules/functions.ts'
import { checkKinds } from './rules/kinds.ts'
import { checkNames } from './rules/names.ts'
import { checkObjects } from './rules/objects.ts'
import { checkScripts } from './rules/scripts.ts'
import { checkSecrets } from './rules/secrets.ts'
import { checkPolicies } from './rules/policies.ts'
import { checkSuspend } from './rules/suspend.ts'
import { checkTemplates } from './rules/templates.ts'
import { checkVariables } from './rules/variables.ts'
import { templateTexts } from './template-texts.ts'
import { YamlPlaces } from './yaml-places.ts'

/** Every rule, in no order that matters. One more: its file, and a line here. */
const rules: readonly LintRule[] = [
  checkNames,
  checkPolicies,
  checkSuspend,
  checkKinds,
  checkFunctions,
  checkArguments,
  checkObjects,
  checkArtifacts,
  checkTemplates,
  checkVariables,
  checkConditions,
  checkSecrets,
  checkScripts,
]

/**
 * What is wrong with the Blueprints of a YAML or JSON text, in the order of its lines. Other documents in it are passed over, unless
 * there is no Blueprint at all.
 */
export function lintBlueprintText(text: string): LintFinding[] {
  const lines = new LineCounter()
  try {
    const documents = parseAllDocuments(text, { version: '1.1', merge: true, lineCounter: lines, prettyErrors: false })
    return lintDocuments(Array.isArray(documents) ? (documents as readonly Document[]) : [], text, lines)
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof ReferenceError)) throw error
    // Nested deeper than the stack, or anchors that are used too often: no Blueprint of a person.
    return [located({ severity: 'error', code: 'LINT_YAML', message: `this cannot be read: ${error.message}`, path: [] })]
  }
}

function lintDocuments(documents: readonly Document[], text: string, lines: LineCounter): LintFinding[] {
  const broken = documents.flatMap((document) => findingsOfParser(document, text, lines))
  if (broken.length > 0) return broken
  const values = documents.map((document) => ({ document, value: valueOf(document) })).filter(({ value }) => value !== null)
  const blueprints = values.filter(({ value }) => kindOf(value) === 'Blueprint')
  const chosen = blueprints.length > 0 ? blueprints : values.slice(0, 1)
  if (chosen.length === 0) return [located(notBlueprint('the text is empty'))]
  return chosen.flatMap(({ document, value }) => {
    const places = new YamlPlaces(text, document, lines)
    return sorted(draftsOf(value).map((draft) => located(draft, places)))
  })
}

/** A finding in an object: there are no lines of a file, but there may be lines in one of its texts. */
export interface ObjectFinding extends LintFinding {
  readonly path: Path
  /** In the text at `path`. */
  readonly inText?: TemplatePlace
}

/** The same for an object, as the API server has it. */
export function lintBlueprint(blueprint: unknown): ObjectFinding[] {
  return draftsOf(blueprint).map((draft) => {
    const { path, spot = 'value' } = draft
    return { ...located(draft), path, ...(typeof spot === 'string' ? {} : { inText: spot }) }
  })
}

function draftsOf(blueprint: unknown): readonly Draft[] {
  if (kindOf(blueprint) !== 'Blueprint') return [notBlueprint('kind must be Blueprint')]
  const facts = readFacts(blueprint)
  const templates = templateTexts(facts)
  return [...checkFields(blueprint), ...rules.flatMap((rule) => rule(facts, templates))]
}

function notBlueprint(why: string): Draft {
  return { severity: 'error', code: 'LINT_NOT_BLUEPRINT', message: `this is no Blueprint: ${why}`, path: [] }
}

function kindOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined
}

/** Anchors may be used often, but not so that a short text becomes a giant, or a circle. */
function valueOf(document: Document): unknown {
  const value = document.toJS({ maxAliasCount: 1000 }) as unknown
  if (isCircular(value, new Set())) throw new ReferenceError('an anchor contains itself')
  return value
}

function isCircular(value: unknown, above: Set<unknown>): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (above.has(value)) return true
  above.add(value)
  const found = Object.values(value).some((inner) => isCircular(inner, above))
  above.delete(value)
  return found
}

function findingsOfParser(document: Document, text: string, lines: LineCounter): LintFinding[] {
  const places = new YamlPlaces(text, document, lines)
  return document.errors.map((error) => ({
    severity: 'error',
    code: 'LINT_YAML',
    message: error.message,
    where: '',
    ...places.at(error.pos[0]),
  }))
}

function located(draft: Draft, places?: YamlPlaces): LintFinding {
  const { severity, code, message, path, spot = 'value' } = draft
  return { severity, code, message, where: textOfPath(path), ...places?.find(path, spot) }
}

function sorted(findings: readonly LintFinding[]): LintFinding[] {
  return findings.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))
}
