import { uint8 } from '../go/go-type.ts'
import { GoBytes, GoInt, GoSlice, type GoValue } from '../go/value.ts'
import { FunctionError } from './define.ts'
import { kindOf, nilDereference } from './kind.ts'

/** The items of a list of any type; `complaint` begins the error for what is none: `Cannot push on type string`. */
export function listItems(list: GoValue, complaint: (kind: string) => string): readonly GoValue[] {
  if (list instanceof GoSlice) return list.items
  if (list instanceof GoBytes) return Array.from(list.bytes, (byte) => new GoInt(uint8, BigInt(byte)))
  if (list === null) throw nilDereference()
  throw new FunctionError(complaint(kindOf(list)))
}
