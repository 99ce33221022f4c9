import { FunctionError } from '../functions/define.ts'
import type { Caller, Piped } from './call-site.ts'
import type { Execution } from './execution.ts'
import type { GoMethod, GoType } from './go-type.ts'
import { type BoundMethod, findField, findMethod, isExported } from './members.ts'
import type { Located, Operand as Node } from './nodes.ts'
import { fromPlace, indirect, type Operand, typeNameOf, unboxed, valueIn } from './operand.ts'
import { quote } from './quote.ts'
import { GoMap, GoPointer, GoStruct, type GoValue, zeroOf } from './value.ts'

/** What the last field of a path is called with, should it be a method. */
export interface FieldCall {
  readonly dot: Operand
  readonly args: readonly Node[]
  readonly piped: Piped
  readonly invoke: Caller
}

const noArguments: readonly Node[] = []

/** Walks a path of names from a value, beginning at its name number `from`. Only the last gets arguments. */
export function evaluateFields(
  execution: Execution,
  start: Operand,
  node: Located,
  path: readonly string[],
  from: number,
  call: FieldCall,
): Operand {
  const hasArguments = call.args.length > 0 || call.piped !== undefined
  const plain = hasArguments ? { ...call, args: noArguments, piped: undefined } : call
  let current = start
  for (let at = from; at < path.length; at++) {
    const direct = hasArguments ? undefined : directly(current, path[at] ?? '')
    if (direct !== undefined) current = direct
    else current = evaluateField(execution, current, path[at] ?? '', node, at === path.length - 1 ? call : plain)
  }
  return current
}

/**
 * The way that nearly every name goes: an entry of a map that has no methods, or a struct's own field, which hides all that its
 * embedded ones bring. Undefined where it is not that simple.
 */
function directly(receiver: Operand, name: string): Operand {
  let value: GoValue | undefined = unboxed(receiver)
  while (value instanceof GoPointer) value = value.target
  if (value instanceof GoMap) {
    const { methods, key, elem } = value.type
    const found = methods || key?.name !== 'string' ? undefined : value.entries.get(name)
    return found === undefined || !elem ? undefined : fromPlace(elem, found)
  }
  if (!(value instanceof GoStruct)) return undefined
  const at = isExported(name) ? value.type.fieldIndex?.get(name) : undefined
  const field = at === undefined ? undefined : value.type.fields?.[at]
  return field && at !== undefined ? fromPlace(field.type, value.values[at] ?? null) : undefined
}

function evaluateField(execution: Execution, receiver: Operand, name: string, node: Located, call: FieldCall): Operand {
  if (receiver === undefined) {
    if (execution.options.missingKey === 'error') throw execution.error(`nil data; no entry for key ${quote(name)}`)
    return undefined
  }
  const { value, isNil, through } = indirect(receiver)
  if (value === undefined) throw execution.error(`nil pointer evaluating ${typeNameOf(receiver)}.${name}`)
  const method = isExported(name) ? findMethod(value, name, through) : undefined
  if (method) return callMethod(method, name, node, call, execution)
  const hasArguments = call.args.length > 0 || call.piped !== undefined
  if (value instanceof GoStruct) {
    const path = findField(value.type, name)
    if (path) {
      if (!isExported(name)) throw execution.error(`${name} is an unexported field of struct type ${typeNameOf(receiver)}`)
      if (hasArguments) throw execution.error(`${name} has arguments but cannot be invoked as function`)
      return followPath(execution, value, path)
    }
  } else if (value instanceof GoMap && value.type.key?.name === 'string') {
    if (hasArguments) throw execution.error(`${name} is not a method but has arguments`)
    return mapEntry(execution, value, name)
  } else if (value instanceof GoPointer && isNil && mayHave(value.type.elem, name)) {
    throw execution.error(`nil pointer evaluating ${typeNameOf(receiver)}.${name}`)
  }
  throw execution.error(`can't evaluate field ${name} in type ${typeNameOf(receiver)}`)
}

function callMethod(
  { method, receiver }: BoundMethod,
  name: string,
  node: Located,
  call: FieldCall,
  execution: Execution,
): Operand {
  const { params, variadic } = method
  const signature = variadic ? { params: params.slice(0, -1), variadic: params.at(-1) } : { params }
  const site = { name, node, args: call.args, piped: call.piped }
  return call.invoke(execution, call.dot, signature, site, (args) => {
    refuseSecondResult(execution, method, name)
    if (receiver === null && !method.nilSafe)
      throw new FunctionError('runtime error: invalid memory address or nil pointer dereference')
    return fromPlace(method.result, method.call(receiver, args.map(valueIn)))
  })
}

function refuseSecondResult(execution: Execution, method: GoMethod, name: string): void {
  if (method.second === undefined || method.second === 'error') return
  const is = `second return value should be error; is ${method.second.name}`
  throw execution.error(`invalid function signature for ${name}: ${is}`)
}

function followPath(execution: Execution, struct: GoStruct, path: readonly number[]): Operand {
  let current: GoValue = struct
  let type: GoType = struct.type
  for (const at of path) {
    if (current instanceof GoPointer) current = current.target
    if (!(current instanceof GoStruct)) {
      throw execution.error(`reflect: indirection through nil pointer to embedded struct field ${type.elem?.name ?? type.name}`)
    }
    type = current.type.fields?.[at]?.type ?? type
    current = current.values[at] ?? null
  }
  return fromPlace(type, current)
}

function mapEntry(execution: Execution, map: GoMap, name: string): Operand {
  const elem = map.type.elem as GoType
  const found = map.entries.get(name)
  if (found !== undefined) return fromPlace(elem, found)
  switch (execution.options.missingKey) {
    case 'error':
      throw execution.missingKey(name)
    case 'zero':
      return fromPlace(elem, zeroOf(elem))
    case 'default':
      return undefined
  }
}

/** Behind a nil pointer a field that exists is "nil pointer", any other "can't evaluate". */
function mayHave(type: GoType | undefined, name: string): boolean {
  return type?.kind !== 'struct' || findField(type, name) !== undefined
}
