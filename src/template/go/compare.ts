import { FunctionError } from '../functions/define.ts'
import { compareBytes } from './byte-string.ts'
import { isComplex, isFloat, isSigned, isUnsigned } from './go-type.ts'
import { isNilOperand, type Operand, unboxed } from './operand.ts'
import { sprintf, sprintValue } from './print.ts'
import { floatIn, GoComplex, GoNamed, GoPointer, GoStruct, GoTime, type GoValue, integerIn, textIn, typeOf } from './value.ts'

type Present = Exclude<GoValue, null>
type Family = 'bool' | 'int' | 'uint' | 'float' | 'complex' | 'string'

/** `eq a b…`: whether the first equals any of the others. Numbers of different kinds do not compare, but int and uint do. */
export function isEqual(first: Operand, others: readonly Operand[]): boolean {
  if (others.length === 0) throw new FunctionError('missing argument for comparison')
  const a = unboxed(first)
  return others.some((other) => equalPair(a, unboxed(other)))
}

/** `lt a b` */
export function isLess(first: Operand, second: Operand): boolean {
  const a = unboxed(first)
  const b = unboxed(second)
  const familyA = orderedFamily(a)
  const familyB = orderedFamily(b)
  if (familyA !== familyB && !bothIntegers(familyA, familyB)) throw incompatible(a, b)
  if (familyA === 'bool' || familyA === 'complex') throw notComparable()
  if (familyA === 'string') return compareBytes(textIn(a ?? null) ?? '', textIn(b ?? null) ?? '') < 0
  if (familyA === 'float') return (floatIn(a ?? null) ?? 0) < (floatIn(b ?? null) ?? 0)
  return (integerIn(a ?? null) ?? 0n) < (integerIn(b ?? null) ?? 0n)
}

/** `le a b` */
export function isLessOrEqual(first: Operand, second: Operand): boolean {
  return isLess(first, second) || isEqual(first, [second])
}

function equalPair(a: Present | undefined, b: Present | undefined): boolean {
  const familyA = familyOf(a)
  const familyB = familyOf(b)
  if (familyA !== familyB) {
    if (bothIntegers(familyA, familyB)) return integerIn(a ?? null) === integerIn(b ?? null)
    if (a !== undefined && b !== undefined) throw incompatible(a, b)
    return false
  }
  return familyA === undefined ? equalOthers(a, b) : basicEqual(a ?? null, b ?? null)
}

function basicEqual(a: GoValue, b: GoValue): boolean {
  if (a instanceof GoComplex && b instanceof GoComplex) return a.re === b.re && a.im === b.im
  return scalar(a) === scalar(b)
}

function scalar(value: GoValue): unknown {
  const number = integerIn(value) ?? floatIn(value)
  return number ?? (value instanceof GoNamed ? value.value : value)
}

/** Lists, maps, pointers and structs: equal to nil, or the very same. */
function equalOthers(a: Present | undefined, b: Present | undefined): boolean {
  if (a !== undefined && b !== undefined && typeOf(a).kind !== typeOf(b).kind) {
    throw new FunctionError(
      `non-comparable types ${sprintf('%s', [a])}: ${typeOf(a).name}, ${typeOf(b).name}: ${sprintValue(b)}`,
    )
  }
  if (isNilOperand(a) || isNilOperand(b)) return isNilOperand(a) === isNilOperand(b)
  if (b === undefined || !isComparable(b)) {
    throw new FunctionError(`non-comparable type ${sprintf('%s', [b ?? null])}: ${typeOf(b ?? null).name}`)
  }
  return identical(a ?? null, b)
}

function isComparable(value: GoValue): boolean {
  if (value instanceof GoStruct) return value.values.every(isComparable)
  const { kind } = typeOf(value)
  return kind !== 'slice' && kind !== 'map' && kind !== 'func'
}

function identical(a: GoValue, b: GoValue): boolean {
  if (a === b) return true
  if (typeOf(a).name !== typeOf(b).name) return false
  if (a instanceof GoPointer && b instanceof GoPointer) return a.target === b.target
  if (a instanceof GoTime && b instanceof GoTime) return a.unixNanos === b.unixNanos && a.zone.name === b.zone.name
  if (a instanceof GoStruct && b instanceof GoStruct) {
    return a.values.every((value, at) => identical(value, b.values[at] ?? null))
  }
  return familyOf(a ?? undefined) !== undefined && basicEqual(a, b)
}

function orderedFamily(value: Present | undefined): Family {
  const family = familyOf(value)
  if (family === undefined) throw notComparable()
  return family
}

function familyOf(value: Present | undefined | null): Family | undefined {
  if (value === undefined || value === null) return undefined
  const { kind } = typeOf(value)
  if (kind === 'bool' || kind === 'string') return kind
  if (isSigned(kind)) return 'int'
  if (isUnsigned(kind)) return 'uint'
  if (isFloat(kind)) return 'float'
  return isComplex(kind) ? 'complex' : undefined
}

function bothIntegers(a: Family | undefined, b: Family | undefined): boolean {
  return (a === 'int' || a === 'uint') && (b === 'int' || b === 'uint')
}

function incompatible(a: Present | undefined, b: Present | undefined): FunctionError {
  const names = [a, b].map((value) => (value === undefined ? 'invalid' : typeOf(value).name))
  return new FunctionError(`incompatible types for comparison: ${names.join(' and ')}`)
}

function notComparable(): FunctionError {
  return new FunctionError('invalid type for comparison')
}
