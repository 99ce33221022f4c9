import { checkItemCount, checkTextLength } from '../functions/bounds.ts'
import { FunctionError, type TemplateFunction, type TemplateHost } from '../functions/define.ts'
import { canonical } from './byte-string.ts'
import { type GoType, isFloat, isInteger } from './go-type.ts'
import { assign, MisfitError, type Operand, valueIn } from './operand.ts'
import { float, floatIn, GoSlice, type GoValue, integer, integerIn, text, textIn } from './value.ts'

/** Go's text for a wrong number of arguments, or undefined when it is right. `given` counts a piped value too. */
export function wrongCount(fn: Signature, name: string, given: number, written = given): string | undefined {
  const wanted = fn.params.length
  if (fn.variadic)
    return given < wanted ? `wrong number of args for ${name}: want at least ${wanted} got ${written}` : undefined
  return given === wanted ? undefined : `wrong number of args for ${name}: want ${wanted} got ${given}`
}

export interface Signature {
  readonly params: readonly GoType[]
  readonly variadic?: GoType | undefined
}

/** The type of the argument at an index. The count has been checked. */
export function paramType(fn: Signature, at: number): GoType {
  // Behind the fixed ones all are the variadic type.
  return (fn.params[at] ?? fn.variadic) as GoType
}

/**
 * Calls a library function with values of any type: checks count and types (MisfitError with Go's text), converts, calls,
 * converts the result. What the function throws as FunctionError comes through.
 */
export function callFunction(fn: TemplateFunction, host: TemplateHost, args: readonly GoValue[]): GoValue {
  const wrong = wrongCount(fn, fn.name, args.length)
  if (wrong !== undefined) throw new MisfitError(wrong)
  return invokeFunction(
    fn,
    host,
    args.map((arg, at) => assign(arg ?? undefined, paramType(fn, at))),
  )
}

/** Calls with arguments that fit already. */
export function invokeFunction(fn: TemplateFunction, host: TemplateHost, args: readonly Operand[]): GoValue {
  const natives = args.map((arg, at) => toNative(valueIn(arg), paramType(fn, at)))
  return fromNative(fn.call(host, ...natives), fn)
}

function toNative(value: GoValue, type: GoType): unknown {
  if (isInteger(type.kind)) return integerIn(value)
  if (isFloat(type.kind)) return floatIn(value)
  if (type.kind === 'string') return textIn(value)
  return value
}

/** A function of a few steps must not give what fills the engine. */
function checkSize(result: unknown): void {
  if (typeof result === 'string') checkTextLength(result.length)
  if (result instanceof GoSlice) checkItemCount(result.items.length)
}

function fromNative(result: unknown, fn: TemplateFunction): GoValue {
  const { result: type } = fn
  checkSize(result)
  if (typeof result === 'string' && type.kind === 'string') return text(type, canonical(result))
  if (typeof result === 'bigint' && isInteger(type.kind)) return integer(type, result)
  if (typeof result === 'number' && isFloat(type.kind)) return float(type, result)
  if (result === undefined) throw new FunctionError(`${fn.name} gave no result`)
  // The declaration's types make it a GoValue; strings inside of other values are their makers' care.
  return typeof result === 'string' ? canonical(result) : (result as GoValue)
}
