import type { TemplatePlace } from '../template/template-uses.ts'

/** What lint can find. A code once shipped keeps its meaning. */
export const lintCodes = {
  LINT_YAML: 'The text is not well-formed YAML.',
  LINT_NOT_BLUEPRINT: 'The object is not a Blueprint of cr.kanister.io/v1alpha1.',
  LINT_FIELD: 'A field that Blueprints do not have, or one of the wrong type; the API server refuses or drops it.',
  LINT_PHASE_NAME: 'A phase has no name, or one that another phase has.',
  LINT_FUNCTION: 'A phase names no function, or one that does not exist.',
  LINT_FUNCTION_NOT_OFFERED: 'A function of Kanister that this engine does not offer yet.',
  LINT_ARGUMENT: 'An argument is missing, not known, or of the wrong type.',
  LINT_NULL: 'An argument is null: here it counts as absent, Kanister crashes on it.',
  LINT_TEMPLATE: 'A template does not parse, or calls a function that does not exist or in a wrong way.',
  LINT_VARIABLE: 'A template asks for a variable or field that there never is.',
  LINT_PHASE_REFERENCE: 'A template asks for a phase that does not exist, runs later or may not have run.',
  LINT_OUTPUT: 'A template asks for an output that its phase does not give.',
  LINT_OBJECT: 'A reference to a Secret or ConfigMap is not declared, or cannot work.',
  LINT_ARTIFACT: 'An artifact, or a key of it, is asked for and never set or declared.',
  LINT_KIND: 'A template asks for another kind of object than the action is meant for.',
  LINT_SECRET: 'A secret is rendered to where it can be read: a command line, a pod, an artifact.',
  LINT_PIPEFAIL: 'A shell pipeline hides the failure of all but its last command.',
  LINT_SUSPEND: 'A phase that must run in any case, or that does not exist, would wait for approval.',
  LINT_UNREACHABLE: 'Something that can never run.',
} as const
export type LintCode = keyof typeof lintCodes

export type Severity = 'error' | 'warning'

/** One thing that is wrong, or likely to be. Lines and columns count from 1. */
export interface LintFinding {
  readonly severity: Severity
  readonly code: LintCode
  readonly message: string
  /** `actions.backup.phases[1].args.command[2]`; empty for the document itself. */
  readonly where: string
  /** In the YAML, where it is known. */
  readonly line?: number
  readonly column?: number
  /** That line. */
  readonly source?: string
}

/** Steps from the root of the document: keys and indexes. */
export type Path = readonly (string | number)[]

/** What of the value at a path is meant: all of it, its key, or a place in its text. */
export type Spot = 'value' | 'key' | TemplatePlace

/** What a rule says of a place; whoever collects it turns the path into lines. */
export interface Draft {
  readonly severity: Severity
  readonly code: LintCode
  readonly message: string
  readonly path: Path
  /** @default 'value' */
  readonly spot?: Spot
}

export function textOfPath(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`
    const name = /^[\w$-]+$/.test(step) ? step : JSON.stringify(step)
    return text === '' ? name : `${text}.${name}`
  }, '')
}

/** `; did you mean x or y?`, or nothing. */
export function didYouMean(names: readonly string[]): string {
  return names.length === 0 ? '' : `; did you mean ${names.join(' or ')}?`
}
