import { FunctionError } from '../functions/define.ts'
import { fromBytes } from '../go/byte-string.ts'
import { type Builtin, builtins } from '../go/builtins.ts'
import { callFunction, paramType, type Signature, wrongCount } from '../go/call.ts'
import { MisfitError, valueIn } from '../go/operand.ts'
import { GoBytes, type GoValue } from '../go/value.ts'
import { workOfCall } from '../go/work.ts'
import { fitArgument } from './fit-argument.ts'
import { hintForGoTemplate } from './hints.ts'
import type { HandlebarsOptions, Run } from './run.ts'
import { specialForms } from './special-forms.ts'
import { suggestion } from './suggestion.ts'
import type { Place } from './tree.ts'

/** Calls a function of the library, or one of Go's own, with arguments made to fit where nothing is lost by it. */
export function callByName(run: Run, name: string, values: readonly GoValue[], place: Place): GoValue {
  const { library, host } = run.options
  const fn = library.get(name)
  const builtin = builtins.get(name)
  run.charge(place, workOfCall(name, values, run.stepsLeft))
  try {
    if (fn) return callFunction(fn, host, fitted(fn, values))
    if (builtin) return callBuiltin(name, builtin, values)
  } catch (error) {
    if (error instanceof MisfitError) throw run.error('TEMPLATE_EXEC', place, misfit(name, error.message, fn?.example?.[0]))
    if (error instanceof FunctionError) throw run.error('TEMPLATE_EXEC', place, `${name}: ${error.message}`)
    throw error
  }
  throw run.error('TEMPLATE_PARSE', place, unknownFunction(name, run.options, tagAt(run, place)))
}

/** Whether a name is a function here, of whatever kind. */
export function isFunction(name: string, options: Pick<HandlebarsOptions, 'library'>): boolean {
  return options.library.has(name) || builtins.has(name) || specialForms.has(name)
}

export function unknownFunction(name: string, options: Pick<HandlebarsOptions, 'library'>, tag: string): string {
  const names = [...options.library.keys(), ...builtins.keys(), ...specialForms.keys()]
  return `there is no function "${name}"${hintForGoTemplate(tag) || suggestion(name, names)}`
}

/** The tag that a place is in, for hints. */
export function tagAt(run: Run, place: Place): string {
  const line = run.tree.source.split('\n')[place.line - 1] ?? ''
  const start = line.lastIndexOf('{{', place.column)
  const end = line.indexOf('}}', place.column)
  return line.slice(Math.max(0, start), end < 0 ? undefined : end + 2)
}

function misfit(name: string, message: string, example: string | undefined): string {
  const text = message.startsWith('wrong number of args') ? message : `${name}: ${message}`
  // The examples are written for Go templates; the order of the arguments is the same.
  return example === undefined ? text : `${text}; as in ${example}`
}

function fitted(fn: Signature, values: readonly GoValue[]): readonly GoValue[] {
  return values.map((value, at) =>
    at < fn.params.length || fn.variadic !== undefined ? fitArgument(value, paramType(fn, at)) : value,
  )
}

const comparisons = new Set(['eq', 'ne', 'lt', 'le', 'gt', 'ge'])

function callBuiltin(name: string, builtin: Builtin, values: readonly GoValue[]): GoValue {
  const wrong = wrongCount(builtin, name, values.length)
  if (wrong !== undefined) throw new MisfitError(wrong)
  const args = fitted(builtin, values).map((value) => {
    // Bytes print as text here, so they compare as text too.
    const plain = comparisons.has(name) && value instanceof GoBytes ? fromBytes(value.bytes) : value
    return plain ?? undefined
  })
  return valueIn(builtin.call(args))
}
