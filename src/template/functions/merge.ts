import { GoBytes, GoMap, GoPointer, GoSlice, GoStruct, GoTime, type GoValue } from '../go/value.ts'
import { isEmpty } from './is-empty.ts'

/**
 * Merges `source` into `target` as mergo 0.3.12 does, which sprig's `merge` and `mergeOverwrite` call. Maps are merged all
 * the way down; without `overwrite` only keys that are missing or empty are taken over. With it all are (nil and empty
 * values too), except that a map never replaces a value that is not empty.
 */
export function mergeInto(target: GoMap, source: GoMap, overwrite: boolean): void {
  // By key first: what is added while walking must not be walked over when both are the same map.
  for (const [key, value] of [...source.entries]) {
    const present = target.entries.has(key)
    const held = target.entries.get(key) ?? null
    if (value === null) {
      if (overwrite) target.entries.set(key, null)
      continue
    }
    if (value instanceof GoMap && held instanceof GoMap && !held.isNil) mergeInto(held, value, overwrite)
    if (isList(value) && overwrite) target.entries.set(key, value)
    const keeps = present && !isEmptyEntry(held)
    if (keeps && (value instanceof GoMap || isList(value))) continue
    if (overwrite || !keeps) target.entries.set(key, value)
  }
}

function isList(value: GoValue): boolean {
  return value instanceof GoSlice || value instanceof GoBytes
}

function isEmptyEntry(value: GoValue): boolean {
  if (value instanceof GoPointer) return value.target === null || isEmptyEntry(value.target)
  return !(value instanceof GoStruct || value instanceof GoTime) && isEmpty(value)
}
