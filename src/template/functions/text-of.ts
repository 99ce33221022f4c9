import { fromBytes } from '../go/byte-string.ts'
import { sprintValue } from '../go/print.ts'
import { GoBytes, GoSlice, type GoValue } from '../go/value.ts'

/** Text of any value as sprig's `toString` has it: bytes are their text, all else is what `%v` prints. */
export function textOf(value: GoValue): string {
  if (typeof value === 'string') return value
  return value instanceof GoBytes ? fromBytes(value.bytes) : sprintValue(value)
}

/** A list of texts as sprig's `toStrings` and `join` have it: nil items left out, a single value is a list of one. */
export function textsOf(value: GoValue): readonly string[] {
  if (value === null) return []
  if (value instanceof GoBytes) return Array.from(value.bytes, String)
  if (!(value instanceof GoSlice)) return [textOf(value)]
  return value.items.filter((item) => item !== null).map(textOf)
}
