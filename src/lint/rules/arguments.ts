import { checkFixedArgs, holdsTemplate, missingArgs, nameArgs, type NamedArgs } from '../../engine/args.ts'
import { decodeWeak } from '../../schema/weak.ts'
import { nearestNames } from '../../template/nearest.ts'
import { allPhases, describePhase, isMap, type PhaseFacts } from '../blueprint-facts.ts'
import { didYouMean, type Draft, type Path, textOfPath } from '../finding.ts'
import type { KnownFunction } from '../known-function.ts'
import type { LintRule } from '../rule.ts'
import { argEntries } from '../template-texts.ts'

/** Arguments fit their function: names, required ones, and types where no template decides them. */
export const checkArguments: LintRule = ({ actions }) =>
  actions.flatMap(allPhases).flatMap((phase) => (phase.found.fn ? checkPhaseArgs(phase, phase.found.fn) : []))

function checkPhaseArgs(phase: PhaseFacts, fn: KnownFunction): readonly Draft[] {
  const path = [...phase.path, 'args']
  const { named, faults } = nameArgs(fn, phase.args)
  if (faults.length > 0) return faults.map((message) => wrong(message, path))
  const nulls = argEntries(phase).flatMap(({ value, path: at }) => nullsIn(value, at))
  const missing = missingArgs(fn, named).map((name): Draft => ({
    ...wrong(`${describePhase(phase)}: ${fn.name} needs the argument "${name}"`, phase.args === undefined ? phase.path : path),
    spot: 'key',
  }))
  const single = argEntries(phase).flatMap((entry) => checkOne(phase, fn, entry))
  const across = missing.length + single.length === 0 ? checkAcross(fn, named, path) : []
  return [...nulls, ...missing, ...single, ...across]
}

function checkOne(phase: PhaseFacts, fn: KnownFunction, entry: ReturnType<typeof argEntries>[number]): readonly Draft[] {
  const { name, value, path } = entry
  if (value === null || value === undefined) return []
  const known = Object.keys(fn.args.properties)
  if (!known.includes(name)) {
    const near = nearestNames(name, known, 1)
    const offer = near.length > 0 ? didYouMean(near) : `; it takes ${known.join(', ')}`
    return [{ ...wrong(`${fn.name} has no argument "${name}"${offer}`, path), spot: 'key' }]
  }
  // Of the positional form the last argument may be spread over the rest of the list: it is checked as a whole below.
  if (Array.isArray(phase.args)) return []
  const inside = unknownInside(fn.args.properties[name], value, path)
  return [...checkFixedArgs(fn, { [name]: value }).map((message) => wrong(message, path)), ...inside]
}

interface Nested {
  readonly type?: string
  readonly items?: unknown
  readonly properties?: Readonly<Record<string, unknown>>
}

/** Fields within an argument that its schema does not have: they are passed over when it runs, so only a slip of the pen is an error. */
function unknownInside(schema: unknown, value: unknown, path: Path): readonly Draft[] {
  const { type, items, properties } = (schema ?? {}) as Nested
  if (type === 'array' && Array.isArray(value)) {
    return value.flatMap((item, index) => unknownInside(items, item, [...path, index]))
  }
  if (!properties || !isMap(value)) return []
  const known = Object.keys(properties)
  return Object.entries(value).flatMap(([key, item]): readonly Draft[] => {
    if (known.includes(key)) return unknownInside(properties[key], item, [...path, key])
    if (key.includes('{{')) return []
    const near = nearestNames(key, known, 1)
    const offer = near.length > 0 ? didYouMean(near) : `; it has ${known.join(', ')}`
    const severity = near.length > 0 ? 'error' : 'warning'
    return [{ ...wrong(`${textOfPath(path)} has no field "${key}"${offer}`, [...path, key]), severity, spot: 'key' }]
  })
}

const samples = ['x', '/x', '1', 'a'.repeat(64)]

/**
 * Rules across arguments, such as "exactly one of a and b". A template stands for any text, so such a rule is broken for certain
 * only when it is for each of several texts in its place.
 */
function checkAcross(fn: KnownFunction, named: NamedArgs, path: Path): readonly Draft[] {
  const { checkArgs } = fn
  if (!checkArgs) return []
  const isOpen = holdsTemplate(named)
  const [first = [], ...others] = (isOpen ? samples : ['']).map((sample) => {
    const { value, findings } = decodeWeak(fn.args, filled(named, sample) as NamedArgs)
    return findings.length > 0 ? [] : checkArgs(value)
  })
  const certain = first.filter((message) => others.every((messages) => messages.includes(message)))
  return certain.map((message) => ({
    ...wrong(`${fn.name}: ${message}`, path),
    severity: isOpen && mayBeEmpty(named) ? ('warning' as const) : ('error' as const),
  }))
}

function filled(value: unknown, sample: string): unknown {
  if (typeof value === 'string') return value.includes('{{') ? sample : value
  if (Array.isArray(value)) return value.map((item) => filled(item, sample))
  return isMap(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filled(item, sample)])) : value
}

/** A template with a condition may give the empty text, which counts as not given. */
function mayBeEmpty(named: NamedArgs): boolean {
  return Object.values(named).some((value) => typeof value === 'string' && /\{\{-?\s*(#?if|#?with|index|default)\b/.test(value))
}

function nullsIn(value: unknown, path: Path): readonly Draft[] {
  if (value === null) {
    return [
      {
        severity: 'warning',
        code: 'LINT_NULL',
        message: 'null counts as absent here and crashes Kanister: leave it out',
        path,
      },
    ]
  }
  if (Array.isArray(value)) return value.flatMap((item, index) => nullsIn(item, [...path, index]))
  return isMap(value) ? Object.entries(value).flatMap(([key, item]) => nullsIn(item, [...path, key])) : []
}

function wrong(message: string, path: Path): Draft {
  return { severity: 'error', code: 'LINT_ARGUMENT', message, path }
}
