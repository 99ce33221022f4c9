import { FunctionError } from '../functions/define.ts'
import { byteLength, byteSlice, toBytes } from './byte-string.ts'
import { isInteger, type GoType, sameType, uint8 } from './go-type.ts'
import { Boxed, fromPlace, indirect, isAssignable, type Operand, unboxed, valueIn } from './operand.ts'
import {
  GoBytes,
  type GoKey,
  GoMap,
  GoSlice,
  type GoValue,
  floatIn,
  integer,
  integerIn,
  textIn,
  typeOf,
  zeroOf,
} from './value.ts'

type Present = Exclude<GoValue, null>

/** `index x 1 "k"`: x[1]["k"]. A key that is not in a map gives the zero value of its entries. */
export function indexInto(item: Operand, indexes: readonly Operand[]): Operand {
  let current: Operand = unboxed(item)
  if (current === undefined) throw new FunctionError('index of untyped nil')
  for (const index of indexes) {
    const { value, isNil } = indirect(current)
    if (isNil || value === undefined) throw new FunctionError('index of nil pointer')
    current = indexOne(value, unboxed(index))
  }
  return current
}

/** `len x`, in bytes for strings. */
export function lengthOf(item: Operand): number {
  const { value, isNil } = indirect(item)
  if (isNil) throw new FunctionError('len of nil pointer')
  const length = value === undefined ? undefined : knownLength(value)
  if (length === undefined) {
    if (value === undefined) throw new FunctionError('reflect: call of reflect.Value.Type on zero Value')
    throw new FunctionError(`len of type ${typeOf(value).name}`)
  }
  return length
}

/** `slice x 1 2`: x[1:2]. */
export function sliceOfOperand(item: Operand, indexes: readonly Operand[]): Operand {
  if (unboxed(item) === undefined) throw new FunctionError('slice of untyped nil')
  const { value, isNil } = indirect(item)
  if (isNil || value === undefined) throw new FunctionError('slice of nil pointer')
  if (indexes.length > 3) throw new FunctionError(`too many slice indexes: ${indexes.length}`)
  const isText = textIn(value) !== undefined
  if (isText && indexes.length === 3) throw new FunctionError('cannot 3-index slice a string')
  const length = value instanceof GoMap ? undefined : knownLength(value)
  if (length === undefined) throw new FunctionError(`can't slice item of type ${typeOf(value).name}`)
  const bounds = indexes.map((index) => boundOf(index, length))
  const [from = 0, to = length, limit = to] = bounds
  if (from > to) throw new FunctionError(`invalid slice index: ${from} > ${to}`)
  if (to > limit) throw new FunctionError(`invalid slice index: ${to} > ${limit}`)
  return cut(value, from, to)
}

/** Unlike `index`, `slice` does not look into what comes out of a place of type interface{}. */
function boundOf(index: Operand, most: number): number {
  if (index instanceof Boxed) throw new FunctionError('cannot index slice/array with type interface {}')
  return indexNumber(index, most)
}

function cut(value: Present, from: number, to: number): Operand {
  if (value instanceof GoSlice) return new GoSlice(value.type, value.items.slice(from, to))
  if (value instanceof GoBytes) return new GoBytes(value.bytes.subarray(from, to))
  return byteSlice(textIn(value) ?? '', from, to)
}

function knownLength(value: Present): number | undefined {
  const text = textIn(value)
  if (text !== undefined) return byteLength(text)
  if (value instanceof GoSlice) return value.items.length
  if (value instanceof GoBytes) return value.bytes.length
  return value instanceof GoMap ? value.entries.size : undefined
}

function indexOne(item: Present, index: Present | undefined): Operand {
  if (item instanceof GoMap) return indexMap(item, index)
  const length = knownLength(item)
  if (length === undefined) throw new FunctionError(`can't index item of type ${typeOf(item).name}`)
  const at = indexNumber(index, length)
  if (item instanceof GoSlice) {
    if (at === length) throw new FunctionError('reflect: slice index out of range')
    return fromPlace(item.type.elem as GoType, item.items[at] ?? null)
  }
  const bytes = item instanceof GoBytes ? item.bytes : toBytes(textIn(item) ?? '')
  const byte = bytes[at]
  if (byte === undefined) {
    throw new FunctionError(`reflect: ${item instanceof GoBytes ? 'slice' : 'string'} index out of range`)
  }
  return fromPlace(uint8, integer(uint8, BigInt(byte)))
}

/** The length itself passes, as in Go, and fails where the item is taken. */
function indexNumber(index: Present | undefined, most: number): number {
  if (index === undefined) throw new FunctionError('cannot index slice/array with nil')
  const number = integerIn(index)
  if (number === undefined) throw new FunctionError(`cannot index slice/array with type ${typeOf(index).name}`)
  if (number < 0n || number > BigInt(most)) throw new FunctionError(`index out of range: ${BigInt.asIntN(64, number)}`)
  return Number(number)
}

function indexMap(map: GoMap, index: Present | undefined): Operand {
  const key = toKey(index, map.type.key as GoType)
  const elem = map.type.elem as GoType
  const found = map.entries.get(key)
  return found === undefined ? fromPlace(elem, zeroOf(elem)) : fromPlace(elem, found)
}

function toKey(index: Present | undefined, type: GoType): GoKey {
  if (index === undefined) {
    if (type.kind !== 'interface') throw new FunctionError(`value is nil; should be of type ${type.name}`)
    return ''
  }
  const number = integerIn(index)
  const fits = isAssignable(index, type) || sameType(typeOf(index), type)
  if (number !== undefined && isInteger(type.kind)) {
    const converted = integerIn(integer(type, number))
    return converted ?? number
  }
  if (!fits) throw new FunctionError(`value has type ${typeOf(index).name}; should be ${type.name}`)
  return textIn(index) ?? floatIn(index) ?? number ?? valueIn(new Boxed(index)) === true
}
