import { GoMap, GoPointer, GoSlice, type GoValue } from '../go/value.ts'
import { isFunction, tagAt } from './function-call.ts'
import { hintForGoTemplate } from './hints.ts'
import { type Missing, stepInto } from './lookup.ts'
import type { Run } from './run.ts'
import { findName, type Scope, scopeAbove } from './scope.ts'
import { quoted, suggestion } from './suggestion.ts'
import type { PathExpression } from './tree.ts'

/**
 * How strictly a value is wanted. `value`: it must be there and be something. `condition`: it may be nothing where its
 * declaration says so (a pointer such as `Deployment`). `optional`: it need not be there at all.
 */
export type Want = 'value' | 'condition' | 'optional'

/** What a path leads to; null for nothing, where that is allowed. */
export function valueOfPath(run: Run, path: PathExpression, scope: Scope, want: Want): GoValue {
  const start = startOf(run, path, scope)
  let value = start.value
  let mayBeNothing = value instanceof GoPointer
  for (let at = start.used; at < path.parts.length; at++) {
    const before = path.parts.slice(0, at).join('.')
    const name = path.parts[at] ?? ''
    if (isNothing(value)) {
      if (want === 'optional') return null
      throw run.error('TEMPLATE_UNKNOWN_VARIABLE', path.place, notSet(path, before), path.text)
    }
    const step = stepInto(value, name)
    if ('missing' in step) {
      if (want === 'optional') return null
      throw run.error('TEMPLATE_UNKNOWN_VARIABLE', path.place, notThere(run, path, before, name, value, step), path.text)
    }
    value = step.value
    mayBeNothing = step.isPointer
  }
  if (!isNothing(value)) return value
  if (want === 'optional' || (want === 'condition' && mayBeNothing)) return null
  throw run.error('TEMPLATE_UNKNOWN_VARIABLE', path.place, notSet(path, path.text), path.text)
}

/** nil, or a pointer to nothing. */
export function isNothing(value: GoValue): boolean {
  return value === null || (value instanceof GoPointer && value.target === null)
}

/** Where a path begins, and how many of its parts that has used up. */
function startOf(run: Run, path: PathExpression, scope: Scope): { readonly value: GoValue; readonly used: number } {
  const [first] = path.parts
  const above = scopeAbove(scope, path.up)
  if (!above) throw run.error('TEMPLATE_EXEC', path.place, `${quoted(path.text)} leads above the outermost context`)
  if (path.isData) {
    const name = first ?? ''
    if (above.data.has(name)) return { value: above.data.get(name) ?? null, used: 1 }
    const known = [...above.data.keys()].map((key) => `@${key}`).join(', ')
    throw run.error('TEMPLATE_UNKNOWN_VARIABLE', path.place, `there is no "@${name}" here; there is ${known}`, path.text)
  }
  const named = first !== undefined && path.up === 0 && !path.isScoped ? findName(scope, first) : undefined
  return named ? { value: named.value, used: 1 } : { value: above.context, used: 0 }
}

function notThere(run: Run, path: PathExpression, before: string, name: string, holder: GoValue, step: Missing): string {
  const hint = path.parts.length === 1 ? hintForGoTemplate(tagAt(run, path.place)) : ''
  if (hint !== '') return `${quoted(path.text)} is not there${hint}`
  const where = before === '' ? 'the context' : quoted(before)
  const call = path.parts.length === 1 && isFunction(name, run.options) ? `; to call the function write (${name})` : ''
  // A field that no object of the kind has is a mistake; a key or an item may come and go.
  const mayAppear = holder instanceof GoMap || holder instanceof GoSlice
  const advice = call || (mayAppear ? optionally(path) : '')
  return `${quoted(path.text)} is not there: ${where} ${step.missing}${suggestion(name, step.names)}${advice}`
}

function notSet(path: PathExpression, part: string): string {
  const whole = part === path.text || part === ''
  return (
    (whole ? `${quoted(path.text)} is not set` : `${quoted(path.text)} is not there: ${quoted(part)} is not set`) +
    optionally(path)
  )
}

function optionally(path: PathExpression): string {
  return path.isData ? '' : `; if it may be absent: {{default "…" (optional ${path.text})}}`
}
