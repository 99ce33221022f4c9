import { GoBytes, GoComplex, GoFloat, GoFunc, GoInt, GoMap, GoNamed, GoPointer, GoSlice, type GoValue } from './value.ts'

/** text/template's truth: false, 0, nil, and empty strings, slices and maps are false; structs are true. */
export function isTrue(value: GoValue): boolean {
  switch (typeof value) {
    case 'string':
      return value !== ''
    case 'boolean':
      return value
    case 'bigint':
      return value !== 0n
    case 'number':
      return value !== 0
  }
  if (value === null) return false
  if (value instanceof GoMap) return value.entries.size > 0
  if (value instanceof GoSlice) return value.items.length > 0
  if (value instanceof GoPointer) return value.target !== null
  if (value instanceof GoBytes) return value.bytes.length > 0
  if (value instanceof GoInt) return value.value !== 0n
  if (value instanceof GoFloat) return value.value !== 0
  if (value instanceof GoNamed) return value.value !== '' && value.value !== false
  if (value instanceof GoComplex) return value.re !== 0 || value.im !== 0
  return value instanceof GoFunc || value.type.kind === 'struct'
}
