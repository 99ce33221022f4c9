import { any, type GoType, sameType } from './go-type.ts'
import { GoBytes, GoFunc, GoMap, GoPointer, GoSlice, type GoValue, typeOf, zeroOf } from './value.ts'

/**
 * What an expression gives while a template runs. Beyond the value, Go's messages and rules want to know two things:
 * whether there is a value at all (`undefined` is Go's zero reflect.Value: a missing key, a `nil`), and whether it came
 * out of a place of type `interface{}` (a Boxed). A bare `null` never occurs here: a nil interface is `Boxed(null)`.
 */
export type Operand = Exclude<GoValue, null> | Boxed | undefined

/** A value seen through an `interface{}`: an item of a list, an entry of a map, the result of `default`. */
export class Boxed {
  readonly inner: GoValue
  constructor(inner: GoValue) {
    this.inner = inner
  }
}

/** A value that does not fit where it is put; the evaluator adds the place. */
export class MisfitError extends Error {}

/** The type of builtin parameters that take whatever there is, as it is. */
export const anyOperand: GoType<Operand> = Object.freeze({ kind: 'struct', name: 'reflect.Value', defined: true })

/** A value read from a place of a type. */
export function fromPlace(type: GoType, value: GoValue): Operand {
  return type.kind === 'interface' || value === null ? new Boxed(value) : value
}

/** Without its box: `undefined` for nothing and for a nil interface. */
export function unboxed(operand: Operand): Exclude<GoValue, null> | undefined {
  if (operand instanceof Boxed) return operand.inner ?? undefined
  return operand
}

/** As a plain value: null for nothing and nil. */
export function valueIn(operand: Operand): GoValue {
  return unboxed(operand) ?? null
}

/** The name of the type under which a value was found. */
export function typeNameOf(operand: Operand): string {
  if (operand instanceof Boxed) return any.name
  return operand === undefined ? '<nil>' : typeOf(operand).name
}

/** Follows pointers to what they point at. `isNil`: the last one points at nothing, or the interface is empty. */
export function indirect(operand: Operand): { value: Exclude<GoValue, null> | undefined; isNil: boolean; through: boolean } {
  if (operand instanceof Boxed && operand.inner === null) return { value: undefined, isNil: true, through: false }
  let value = unboxed(operand)
  let through = false
  while (value instanceof GoPointer) {
    if (value.target === null) return { value, isNil: true, through }
    value = value.target
    through = true
  }
  return { value, isNil: false, through }
}

/** Puts a value where one of `type` is wanted, by Go's rules of assignment; throws MisfitError with Go's text. */
export function assign(operand: Operand, type: GoType): Operand {
  if (operand === undefined) {
    if (!canBeNil(type)) throw new MisfitError(`invalid value; expected ${type.name}`)
    return nilOf(type)
  }
  if (type === anyOperand || type.kind === 'interface') return operand
  const value = unboxed(operand)
  if (value === undefined) throw new MisfitError(`wrong type for value; expected ${type.name}; got interface {}`)
  if (isAssignable(value, type)) return value
  if (value instanceof GoPointer && value.type.elem && sameType(value.type.elem, type)) {
    if (value.target === null) throw new MisfitError(`dereference of nil pointer of type ${type.name}`)
    return value.target
  }
  throw new MisfitError(`wrong type for value; expected ${type.name}; got ${typeOf(value).name}`)
}

/** Untyped nil where `type` is wanted; throws MisfitError. */
export function assignNil(type: GoType): Operand {
  if (!canBeNil(type)) throw new MisfitError(`cannot assign nil to ${type.name}`)
  return nilOf(type)
}

export function isAssignable(value: GoValue, type: GoType): boolean {
  const from = typeOf(value)
  if (type.kind === 'interface' || sameType(from, type)) return true
  if (from.underlying === type.name || type.underlying === from.name) return true
  return type.kind === 'func' && value instanceof GoFunc
}

function canBeNil(type: GoType): boolean {
  return type === anyOperand || ['interface', 'map', 'slice', 'ptr', 'func'].includes(type.kind)
}

function nilOf(type: GoType): Operand {
  if (type === anyOperand) return undefined
  return type.kind === 'interface' ? new Boxed(null) : fromPlace(type, zeroOf(type))
}

/** Whether `eq nil` holds: nothing, or a nil of its type. */
export function isNilOperand(value: Exclude<GoValue, null> | undefined): boolean {
  if (value === undefined) return true
  if (value instanceof GoPointer) return value.target === null
  return (value instanceof GoMap || value instanceof GoSlice || value instanceof GoBytes) && value.isNil
}
