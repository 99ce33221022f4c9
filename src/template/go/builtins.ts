import { checkTextLength } from '../functions/bounds.ts'
import { FunctionError } from '../functions/define.ts'
import { isLess, isEqual, isLessOrEqual } from './compare.ts'
import { escapeHtml, escapeJs, escapeUrlQuery } from './escape.ts'
import { any, type GoType, string } from './go-type.ts'
import { indexInto, lengthOf, sliceOfOperand } from './indexing.ts'
import { anyOperand, assign, MisfitError, type Operand, unboxed, valueIn } from './operand.ts'
import { printable } from './printable.ts'
import { sprint, sprintf, sprintln } from './print.ts'
import { isTrue } from './truth.ts'
import { GoFunc, type GoValue, textIn, typeOf } from './value.ts'

/** A function of the language itself. `call` gets arguments that fit `params`. */
export interface Builtin {
  readonly params: readonly GoType[]
  readonly variadic?: GoType
  readonly call: (args: readonly Operand[]) => Operand
}

/** Those of text/template. `and`, `or` and `call` are known to the evaluator, which evaluates their arguments its own way. */
export const builtins: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([
  ['and', { params: [anyOperand], variadic: anyOperand, call: ([first]) => first }],
  ['or', { params: [anyOperand], variadic: anyOperand, call: ([first]) => first }],
  ['not', { params: [anyOperand], call: ([value]) => !isTrue(valueIn(value)) }],
  ['len', { params: [anyOperand], call: ([value]) => BigInt(lengthOf(value)) }],
  ['index', { params: [anyOperand], variadic: anyOperand, call: ([item, ...indexes]) => indexInto(item, indexes) }],
  ['slice', { params: [anyOperand], variadic: anyOperand, call: ([item, ...indexes]) => sliceOfOperand(item, indexes) }],
  ['call', { params: [anyOperand], variadic: anyOperand, call: ([value, ...args]) => callValue('', value, args) }],
  ['print', { params: [], variadic: any, call: (args) => bounded(sprint(args.map(valueIn))) }],
  ['println', { params: [], variadic: any, call: (args) => bounded(sprintln(args.map(valueIn))) }],
  [
    'printf',
    {
      params: [string],
      variadic: any,
      call: ([format, ...args]) => bounded(sprintf(textIn(valueIn(format)) ?? '', args.map(valueIn))),
    },
  ],
  ['html', { params: [], variadic: any, call: (args) => escapeHtml(joined(args)) }],
  ['js', { params: [], variadic: any, call: (args) => escapeJs(joined(args)) }],
  ['urlquery', { params: [], variadic: any, call: (args) => escapeUrlQuery(joined(args)) }],
  ['eq', { params: [anyOperand], variadic: anyOperand, call: ([first, ...others]) => isEqual(first, others) }],
  ['ne', { params: [anyOperand, anyOperand], call: ([a, b]) => !isEqual(a, [b]) }],
  ['lt', { params: [anyOperand, anyOperand], call: ([a, b]) => isLess(a, b) }],
  ['le', { params: [anyOperand, anyOperand], call: ([a, b]) => isLessOrEqual(a, b) }],
  ['gt', { params: [anyOperand, anyOperand], call: ([a, b]) => !isLessOrEqual(a, b) }],
  ['ge', { params: [anyOperand, anyOperand], call: ([a, b]) => !isLess(a, b) }],
])

function bounded(text: string): string {
  checkTextLength(text.length)
  return text
}

/** `call f args…`; `name` is how the template wrote f. */
export function callValue(name: string, operand: Operand, args: readonly Operand[]): Operand {
  const fn = unboxed(operand)
  if (fn === undefined) throw new FunctionError('call of nil')
  if (!(fn instanceof GoFunc)) throw new FunctionError(`non-function ${name} of type ${typeOf(fn).name}`)
  const wanted = fn.variadic ? fn.params.length - 1 : fn.params.length
  if (fn.variadic ? args.length < wanted : args.length !== wanted) {
    const least = fn.variadic ? 'at least ' : ''
    throw new FunctionError(`wrong number of args for ${name}: got ${args.length} want ${least}${wanted}`)
  }
  const values = args.map((arg, at) => argumentOf(arg, at, fn.params[Math.min(at, fn.params.length - 1)] ?? any))
  return fn.invoke(values) ?? undefined
}

function argumentOf(arg: Operand, at: number, type: GoType): GoValue {
  try {
    return valueIn(assign(unboxed(arg), type))
  } catch (error) {
    if (!(error instanceof MisfitError)) throw error
    const got = unboxed(arg)
    const reason =
      got === undefined
        ? `value is nil; should be of type ${type.name}`
        : `value has type ${typeOf(got).name}; should be ${type.name}`
    throw new FunctionError(`arg ${at}: ${reason}`)
  }
}

/** The text of arguments as `html` and its like take them. */
function joined(args: readonly Operand[]): string {
  const [first] = args
  const text = args.length === 1 ? valueIn(first) : null
  return typeof text === 'string' ? text : sprint(args.map((arg) => printable(unboxed(arg)) ?? null))
}
