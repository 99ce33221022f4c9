import { compareBytes } from './byte-string.ts'
import type { GoKey, GoMap } from './value.ts'

/** The keys of a map in the order in which Go prints and ranges over them. */
export function sortedKeys(map: GoMap): readonly GoKey[] {
  return [...map.entries.keys()].sort(compareKeys)
}

function compareKeys(a: GoKey, b: GoKey): number {
  if (typeof a === 'string' && typeof b === 'string') return compareBytes(a, b)
  // Numbers and booleans order by size (false first), NaN before all others.
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : -1
  if (Number.isNaN(b)) return 1
  return a < b ? -1 : a > b ? 1 : 0
}
