import { isDeepStrictEqual } from 'node:util'
import { lintBlueprint, type ObjectFinding } from '../lint/lint.ts'
import type { AdmissionRequest } from './admission-review.ts'
import { uncheckedLabel } from './names.ts'
import { letIn, type Verdict } from './verdict.ts'

/**
 * Longest Blueprint that is checked, in characters of its JSON. The check runs between other work of the operator and takes up to half
 * a second for this; the largest Blueprints seen have a tenth of it.
 */
const longestChecked = 128 * 1024
/** Findings that a refusal tells; the command line tells all. */
const toldFindings = 10
/** The API server cuts a warning at 256 characters, and drops them all beyond 4096. */
const longestWarning = 250

/**
 * Lint at admission. Errors refuse the object, warnings come with the answer. What is stored already stays usable: a change of metadata
 * passes, and an error that the stored object has, too, is told as a warning.
 */
export function judgeBlueprint(request: AdmissionRequest): Verdict {
  const { operation, object, oldObject } = request
  if (request.subResource || object === undefined || (operation !== 'CREATE' && operation !== 'UPDATE')) return letIn
  if (isDeleted(object) || isUnchecked(object)) return letIn
  if (JSON.stringify(object).length > longestChecked) {
    return { warnings: ['this Blueprint is too long to be checked here; try: holdfast blueprint lint FILE'] }
  }
  const findings = lintBlueprint(withName(object, request))
  const errors = findings.filter(({ severity }) => severity === 'error')
  const fresh = errors.length > 0 && operation === 'UPDATE' ? errors.filter(notIn(oldObject, object)) : errors
  const told = findings.filter((finding) => !fresh.includes(finding))
  return { ...(fresh.length > 0 ? { refusal: refusalOf(fresh, object) } : {}), warnings: warningsOf(told, object) }
}

/** Kanister's beginning, then a line for each finding. */
function refusalOf(errors: readonly ObjectFinding[], blueprint: unknown): string {
  const lines = errors.slice(0, toldFindings).map((error) => lineOf(error, blueprint))
  const more = errors.length > toldFindings ? [`and ${errors.length - toldFindings} more: holdfast blueprint lint FILE`] : []
  return `Invalid blueprint, ${[...lines, ...more].join('\n')}\n`
}

function warningsOf(findings: readonly ObjectFinding[], blueprint: unknown): string[] {
  const lines = findings.slice(0, toldFindings).map((finding) => lineOf(finding, blueprint, longestWarning))
  const more = findings.length - lines.length
  return more > 0 ? [...lines, `and ${more} more: holdfast blueprint lint FILE`] : lines
}

/** `Failed to validate phase dump in action backup: …` is how Kanister's webhook begins; the place stands at the end. */
function lineOf(finding: ObjectFinding, blueprint: unknown, longest = Infinity): string {
  const { severity, message, where, inText, code } = finding
  const subject = subjectOf(finding.path, blueprint)
  const head = severity === 'error' ? `Failed to validate${subject === '' ? '' : ` ${subject}`}: ` : subject && `${subject}: `
  const line = inText && where !== '' ? `line ${inText.line}, column ${inText.column} of ` : ''
  const tail = cut(` (${where === '' ? '' : `${line}${where}, `}${code})`, longest / 2)
  return `${cut(`${head}${message}`, longest - tail.length)}${tail}`
}

/** `phase dump in action backup`, or nothing. */
function subjectOf(path: ObjectFinding['path'], blueprint: unknown): string {
  const [first, action, part, index] = path
  if (first !== 'actions' || action === undefined) return ''
  const steps = part === 'phases' ? path.slice(0, 4) : path.slice(0, 3)
  const isPhase = part === 'deferPhase' || (part === 'phases' && index !== undefined)
  const name = isPhase ? child(steps.reduce(child, blueprint), 'name') : undefined
  return typeof name === 'string' && name !== '' ? `phase ${name} in action ${action}` : `action ${action}`
}

/** Tells what an update brings from what was there: the same finding, wherever it moved to. */
function notIn(oldObject: unknown, object: unknown): (finding: ObjectFinding) => boolean {
  if (isDeepStrictEqual(meaningOf(oldObject), meaningOf(object))) return () => false
  const known = new Set(lintBlueprint(oldObject).map(keyOf))
  return (finding) => !known.has(keyOf(finding))
}

function keyOf({ code, message }: ObjectFinding): string {
  return `${code} ${message}`
}

/** All that decides how a Blueprint runs. */
function meaningOf(blueprint: unknown): unknown {
  const { metadata: _metadata, ...body } = isMap(blueprint) ? blueprint : {}
  return body
}

function isUnchecked(object: unknown): boolean {
  return child(child(child(object, 'metadata'), 'labels'), uncheckedLabel.key) === uncheckedLabel.value
}

function isDeleted(object: unknown): boolean {
  return child(child(object, 'metadata'), 'deletionTimestamp') !== undefined
}

/** With `generateName`, the name may come later. */
function withName(object: unknown, request: AdmissionRequest): unknown {
  const metadata = child(object, 'metadata')
  if (!isMap(object) || !isMap(metadata) || metadata['name'] !== undefined) return object
  return { ...object, metadata: { ...metadata, name: request.name ?? metadata['generateName'] } }
}

function child(value: unknown, step: string | number): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string | number, unknown>>)[step] : undefined
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** In one line, as a header of HTTP takes it. */
function cut(text: string, longest: number): string {
  const line = text.replaceAll(/\p{Cc}+/gu, ' ')
  return line.length <= longest ? line : `${line.slice(0, longest - 3)}...`
}
