import { fromBytes } from '../go/byte-string.ts'
import { anyMap, anySlice, type GoType, isFloat, isInteger, sameType } from '../go/go-type.ts'
import { GoBytes, GoMap, GoPointer, GoSlice, type GoValue, float, integer, integerIn, textIn, typeOf } from '../go/value.ts'

/**
 * Makes an argument fit where only its Go type differs and nothing is lost: bytes and named texts as text, any integer as
 * another or as a float, maps and lists of one type as those of any. Go templates refuse these; all else stays as it is,
 * and the call then fails in Go's words.
 */
export function fitArgument(value: GoValue, type: GoType): GoValue {
  if (value === null || type.kind === 'interface' || sameType(typeOf(value), type)) return value
  if (type.kind === 'string') return value instanceof GoBytes ? fromBytes(value.bytes) : (textIn(value) ?? value)
  const whole = integerIn(value)
  if (whole !== undefined && isInteger(type.kind))
    return integerIn(integer(type, whole)) === whole ? integer(type, whole) : value
  if (whole !== undefined && isFloat(type.kind)) return float(type, Number(whole))
  const plain = value instanceof GoPointer ? value.target : value
  if (plain instanceof GoMap && sameType(type, anyMap) && plain.type.key?.kind === 'string') {
    return new GoMap(anyMap, new Map(plain.entries))
  }
  if (plain instanceof GoSlice && sameType(type, anySlice)) return new GoSlice(anySlice, plain.isNil ? undefined : plain.items)
  return value
}
