import { byteLength } from '../go/byte-string.ts'
import { isTrue } from '../go/truth.ts'
import { GoFunc, GoStruct, GoTime, type GoValue } from '../go/value.ts'

/** sprig's idea of unset: nil, false, 0, and empty strings, lists and maps; structs (times too) are never empty. */
export function isEmpty(value: GoValue): boolean {
  if (typeof value === 'string') return byteLength(value) === 0
  if (value instanceof GoStruct || value instanceof GoTime || value instanceof GoFunc) return false
  return !isTrue(value)
}
