import type { GoType } from '../go/go-type.ts'
import { findField, findMethod, isExported } from '../go/members.ts'
import { sortedKeys } from '../go/sorted-keys.ts'
import { GoBytes, type GoKey, GoMap, GoPointer, GoSlice, GoStruct, type GoValue, textIn, typeOf } from '../go/value.ts'

/** One step of a path: the value (null for nil), or why there is none. */
export type Step = { readonly value: GoValue; readonly isPointer: boolean } | Missing

export interface Missing {
  /** Said of the holder: `has no "x"`. */
  readonly missing: string
  /** What it has instead. */
  readonly names: readonly string[]
}

/**
 * What `name` is in a value: a field, an entry of a map, an item of a list, or a method that takes nothing. Never what
 * JavaScript's objects bring along.
 */
export function stepInto(holder: GoValue, name: string): Step {
  const value = holder instanceof GoPointer ? holder.target : holder
  if (value instanceof GoMap) return entryOf(value, name)
  if (value instanceof GoSlice) return itemOf(value.items, name)
  if (isExported(name)) {
    const field = value instanceof GoStruct ? fieldOf(value, name) : undefined
    if (field) return field
    const method = findMethod(value, name, true)
    if (method && method.method.params.length === 0 && method.receiver !== null && !otherSecond(method.method.second)) {
      return { value: method.method.call(method.receiver, []), isPointer: false }
    }
  }
  if (value instanceof GoStruct) return { missing: `has no field "${name}"`, names: fieldNames(value.type) }
  const text = textIn(value) !== undefined || value instanceof GoBytes
  const length = name === 'length' ? `; for its length write (len …)` : ''
  return { missing: `is ${text ? 'a text' : `of type ${typeOf(value).name}`} and has nothing in it${length}`, names: [] }
}

function otherSecond(second: 'error' | GoType | undefined): boolean {
  return second !== undefined && second !== 'error'
}

function entryOf(map: GoMap, name: string): Step {
  const key = keyOf(map, name)
  if (key === undefined || !map.entries.has(key)) {
    return { missing: `has no "${name}"`, names: sortedKeys(map).map(String) }
  }
  return { value: map.entries.get(key) ?? null, isPointer: false }
}

/** Keys of maps may be numbers or truth values too. */
function keyOf(map: GoMap, name: string): GoKey | undefined {
  if (map.entries.has(name)) return name
  return [...map.entries.keys()].find((key) => String(key) === name)
}

function itemOf(items: readonly GoValue[], name: string): Step {
  if (!/^\d+$/.test(name)) {
    const hint = name === 'length' ? '; for its length write (len …)' : ''
    return { missing: `is a list of ${items.length}: items are reached by their index, as in list.[0]${hint}`, names: [] }
  }
  const at = Number(name)
  if (at >= items.length) return { missing: `has ${items.length} items, counted from 0: there is no item ${name}`, names: [] }
  return { value: items[at] ?? null, isPointer: false }
}

function fieldOf(struct: GoStruct, name: string): Step | undefined {
  const path = findField(struct.type, name)
  if (!path) return undefined
  let value: GoValue = struct
  let type: GoType | undefined = struct.type
  for (const at of path) {
    const holder: GoValue = value instanceof GoPointer ? value.target : value
    if (!(holder instanceof GoStruct)) return undefined
    type = holder.type.fields?.[at]?.type
    value = holder.values[at] ?? null
  }
  const isNil = value instanceof GoPointer && value.target === null
  return { value: isNil ? null : value, isPointer: type?.kind === 'ptr' }
}

function fieldNames(type: GoType): readonly string[] {
  return (type.fields ?? []).map((field) => field.name).filter(isExported)
}
