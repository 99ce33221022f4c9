import type { GoKind } from '../go/go-type.ts'
import { type GoValue, typeOf } from '../go/value.ts'
import { FunctionError } from './define.ts'

/** `reflect.ValueOf(v).Kind()` by name. */
export function kindOf(value: GoValue): GoKind | 'invalid' {
  return value === null ? 'invalid' : typeOf(value).kind
}

/** What Go's runtime says when a function asks nil for its type. */
export function nilDereference(): FunctionError {
  return new FunctionError('runtime error: invalid memory address or nil pointer dereference')
}
