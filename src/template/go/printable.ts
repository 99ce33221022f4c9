import { findMethod } from './members.ts'
import { indirect, type Operand } from './operand.ts'
import { GoFunc, GoPointer, type GoValue } from './value.ts'

/**
 * What of a value is printed: what pointers point at, unless the pointer has a text of its own (`*semver.Version`).
 * Nothing at all is the text `<no value>`; undefined for what cannot be printed.
 */
export function printable(operand: Operand): GoValue | undefined {
  if (operand === undefined) return '<no value>'
  if (operand instanceof GoFunc) return undefined
  if (!(operand instanceof GoPointer)) return operand as GoValue
  const { value, isNil } = indirect(operand)
  if (isNil || value === undefined) return operand
  if (hasText(value, false) || !hasText(value, true)) return value instanceof GoFunc ? undefined : value
  return lastPointer(operand)
}

function hasText(value: GoValue, addressable: boolean): boolean {
  return (findMethod(value, 'Error', addressable) ?? findMethod(value, 'String', addressable)) !== undefined
}

function lastPointer(pointer: GoPointer): GoPointer {
  return pointer.target instanceof GoPointer ? lastPointer(pointer.target) : pointer
}
