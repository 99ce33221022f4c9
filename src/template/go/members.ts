import type { GoMethod, GoType } from './go-type.ts'
import { GoPointer, GoStruct, type GoValue, typeOf } from './value.ts'

/** A method found on a value, with what it is called on: the value itself, or an embedded one that brought it in. */
export interface BoundMethod {
  readonly method: GoMethod
  readonly receiver: GoValue
}

/**
 * The method of a value by name, promoted ones too. Methods of pointer receivers are found on pointers and on what is
 * `addressable` (reached through one). The receiver handed to a method is always what the pointer points at.
 */
export function findMethod(value: GoValue, name: string, addressable: boolean): BoundMethod | undefined {
  if (value === null || typeof value !== 'object') return undefined
  if (value instanceof GoPointer) {
    const elem = value.type.elem
    if (value.target !== null) return findMethod(value.target, name, true)
    // On a nil pointer the method exists, and the call of it fails.
    return elem && methodOfType(elem, name) ? { method: methodOfType(elem, name) as GoMethod, receiver: null } : undefined
  }
  const own = value.type.methods?.[name]
  if (own) return own.pointer && !addressable ? undefined : { method: own, receiver: value }
  if (!(value instanceof GoStruct)) return undefined
  for (const at of embeddedIn(value.type)) {
    const found = findMethod(value.values[at] ?? null, name, addressable)
    if (found) return found
  }
  return undefined
}

function embeddedIn(type: GoType): readonly number[] {
  return type.embedded ?? (type.fields ?? []).flatMap((field, at) => (field.embedded ? [at] : []))
}

function methodOfType(type: GoType, name: string): GoMethod | undefined {
  const target = type.kind === 'ptr' && type.elem ? type.elem : type
  if (target.methods?.[name]) return target.methods[name]
  for (const field of target.fields ?? []) {
    const found = field.embedded ? methodOfType(field.type, name) : undefined
    if (found) return found
  }
  return undefined
}

/** Where a field is: indexes through embedded structs. The shallowest of that name counts. */
export function findField(type: GoType, name: string): readonly number[] | undefined {
  const own = ownField(type, name)
  if (own >= 0) return [own]
  let best: readonly number[] | undefined
  for (const at of embeddedIn(type)) {
    const field = type.fields?.[at]
    if (!field) continue
    const target = field.type.kind === 'ptr' && field.type.elem ? field.type.elem : field.type
    const inner = findField(target, name)
    if (inner && (!best || inner.length + 1 < best.length)) best = [at, ...inner]
  }
  return best
}

function ownField(type: GoType, name: string): number {
  return type.fieldIndex ? (type.fieldIndex.get(name) ?? -1) : (type.fields ?? []).findIndex((field) => field.name === name)
}

/** Go exports names that begin with an upper-case letter. */
export function isExported(name: string): boolean {
  const first = name.charCodeAt(0)
  if (first < 0x80) return first >= 0x41 && first <= 0x5a
  return /^\p{Lu}/u.test(name)
}

/** The text of a value that has an `Error` or `String` method, which fmt prefers; undefined without one. */
export function textOfMethods(value: GoValue): string | undefined {
  return textOf(value, ['Error', 'String'])
}

/** The text of a value that has a `GoString` method, which `%#v` prefers; undefined without one. */
export function goSyntaxOf(value: GoValue): string | undefined {
  return textOf(value, ['GoString'])
}

function textOf(value: GoValue, names: readonly string[]): string | undefined {
  if (value === null || typeof value !== 'object' || !mayHaveMethods(typeOf(value))) return undefined
  for (const name of names) {
    const found = findMethod(value, name, false)
    if (!found || found.method.params.length > 0) continue
    if (found.receiver === null && !found.method.nilSafe) return '<nil>'
    const result = found.method.call(found.receiver, [])
    if (typeof result === 'string') return result
  }
  return undefined
}

function mayHaveMethods(type: GoType): boolean {
  return type.methods !== undefined || type.fields !== undefined || type.kind === 'ptr'
}
