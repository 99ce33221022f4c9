import { GoBytes, GoMap, GoPointer, GoSlice, GoStruct, type GoValue, integerIn, textIn } from '../go/value.ts'
import { isTrue } from '../go/truth.ts'
import { callByName, isFunction } from './function-call.ts'
import { stepInto } from './lookup.ts'
import { isNothing, valueOfPath, type Want } from './path-value.ts'
import type { Run } from './run.ts'
import { findName, type Scope } from './scope.ts'
import { specialForms } from './special-forms.ts'
import { quoted, suggestion } from './suggestion.ts'
import type { CallExpression, Expression, PathExpression } from './tree.ts'

/** The value of an expression; null for nothing, where that is allowed. */
export function evaluate(run: Run, expression: Expression, scope: Scope, want: Want): GoValue {
  run.step(expression.place)
  switch (expression.kind) {
    case 'literal':
      return expression.value
    case 'path': {
      const called = expression.mayCall ? callOfBareName(run, expression, scope) : undefined
      return called ? called.value : valueOfPath(run, expression, scope, want)
    }
    case 'call':
      return evaluateCall(run, expression, scope)
  }
}

/** How messages name an expression. */
export function describe(expression: Expression): string {
  if (expression.kind === 'path') return quoted(expression.text)
  return expression.kind === 'call' ? `the result of ${expression.name}` : 'this value'
}

/** `{{now}}`: a function, unless the context has such a field; both is an error, for nobody could tell which was meant. */
function callOfBareName(run: Run, path: PathExpression, scope: Scope): { readonly value: GoValue } | undefined {
  const [name = ''] = path.parts
  if (!isFunction(name, run.options) || findName(scope, name)) return undefined
  if (scope.context !== null && 'value' in stepInto(scope.context, name)) {
    const message = `"${name}" is a function and a field here; write {{this.${name}}} for the field`
    throw run.error('TEMPLATE_EXEC', path.place, message)
  }
  return { value: evaluateCall(run, { kind: 'call', name, args: [], place: path.place }, scope) }
}

function evaluateCall(run: Run, call: CallExpression, scope: Scope): GoValue {
  switch (call.name) {
    case 'optional':
      return evaluateOptional(run, call, scope)
    case 'has':
      return evaluateHas(run, call, scope)
    case 'lookup':
    case 'index':
      return evaluateLookup(run, call, scope)
    case 'and':
    case 'or':
      return evaluateShortCircuit(run, call, scope)
    default: {
      // What may be nothing by its declaration may be asked about.
      const want = call.name === 'not' || call.name === 'empty' ? 'condition' : 'value'
      const values = call.args.map((arg) => evaluate(run, arg, scope, want))
      return callByName(run, call.name, values, call.place)
    }
  }
}

function evaluateOptional(run: Run, call: CallExpression, scope: Scope): GoValue {
  const [subject, keys] = subjectAndRest(run, call, 0)
  return follow(run, evaluate(run, subject, scope, 'optional'), keys, scope) ?? null
}

/** Presence of a key in an object; with a list as second argument sprig's `has`. */
function evaluateHas(run: Run, call: CallExpression, scope: Scope): GoValue {
  const [subject, keys] = subjectAndRest(run, call, 1)
  const holder = evaluate(run, subject, scope, 'condition')
  const plain = holder instanceof GoPointer ? holder.target : holder
  const [first] = keys
  const second = first && keys.length === 1 ? evaluate(run, first, scope, 'value') : null
  const isObject = plain instanceof GoMap || plain instanceof GoStruct || plain === null
  if (!isObject || second instanceof GoSlice || second instanceof GoBytes)
    return callByName(run, 'has', [holder, second], call.place)
  return follow(run, plain, keys, scope) !== undefined
}

/** Further steps from a value; undefined where one of them leads to nothing. */
function follow(run: Run, start: GoValue, keys: readonly Expression[], scope: Scope): GoValue | undefined {
  let value = start
  for (const key of keys) {
    if (isNothing(value)) return undefined
    const step = stepInto(value, keyOf(run, key, scope))
    if ('missing' in step) return undefined
    value = step.value
  }
  return isNothing(value) ? undefined : value
}

function evaluateLookup(run: Run, call: CallExpression, scope: Scope): GoValue {
  const [subject, keys] = subjectAndRest(run, call, 1)
  let value = evaluate(run, subject, scope, 'value')
  let text = describe(subject)
  for (const key of keys) {
    const name = keyOf(run, key, scope)
    if (isNothing(value)) throw run.error('TEMPLATE_UNKNOWN_VARIABLE', key.place, `${text} is not set`, text)
    const step = stepInto(value, name)
    if ('missing' in step) {
      const message = `${text} ${step.missing}${suggestion(name, step.names)}`
      throw run.error('TEMPLATE_UNKNOWN_VARIABLE', key.place, message, text)
    }
    value = step.value
    text = `${text}.${quoted(name)}`
  }
  if (isNothing(value)) throw run.error('TEMPLATE_UNKNOWN_VARIABLE', call.place, `${text} is not set`, text)
  return value
}

/** A key of a map or an index of a list. */
function keyOf(run: Run, expression: Expression, scope: Scope): string {
  const value = evaluate(run, expression, scope, 'value')
  const text = textIn(value) ?? integerIn(value)?.toString()
  if (text !== undefined) return text
  throw run.error('TEMPLATE_EXEC', expression.place, `${describe(expression)} is no key: a text or a whole number is needed`)
}

function evaluateShortCircuit(run: Run, call: CallExpression, scope: Scope): GoValue {
  subjectAndRest(run, call, 0)
  let value: GoValue = null
  for (const arg of call.args) {
    value = evaluate(run, arg, scope, 'condition')
    if (isTrue(value) === (call.name === 'or')) return value
  }
  return value
}

function subjectAndRest(run: Run, call: CallExpression, leastRest: number): readonly [Expression, readonly Expression[]] {
  const [subject, ...rest] = call.args
  if (subject && rest.length >= leastRest) return [subject, rest]
  const example = specialForms.get(call.name)?.example ?? ''
  const message = `${call.name} takes at least ${leastRest + 1} arguments, got ${call.args.length}; as in ${example}`
  throw run.error('TEMPLATE_EXEC', call.place, message)
}
