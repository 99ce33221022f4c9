import {
  GoBytes,
  GoComplex,
  GoFloat,
  GoFunc,
  GoInt,
  GoMap,
  GoNamed,
  GoPointer,
  GoSlice,
  GoStruct,
  GoTime,
  type GoValue,
  typeOf,
} from '../go/value.ts'

/** `reflect.DeepEqual`: the same types all the way down, a nil list differs from an empty one, NaN from itself. */
export function deepEqual(a: GoValue, b: GoValue): boolean {
  if (a === null || b === null) return a === b
  if (typeOf(a).name !== typeOf(b).name) return false
  if (a instanceof GoSlice && b instanceof GoSlice) return a.isNil === b.isNil && equalItems(a.items, b.items)
  if (a instanceof GoMap && b instanceof GoMap) return equalMaps(a, b)
  if (a instanceof GoBytes && b instanceof GoBytes) return a.isNil === b.isNil && Buffer.compare(a.bytes, b.bytes) === 0
  if (a instanceof GoStruct && b instanceof GoStruct) return equalItems(a.values, b.values)
  if (a instanceof GoPointer && b instanceof GoPointer) return a === b || deepEqual(a.target, b.target)
  if (a instanceof GoTime && b instanceof GoTime) return a.unixNanos === b.unixNanos && a.zone === b.zone
  return equalScalars(a, b)
}

function equalItems(a: readonly GoValue[], b: readonly GoValue[]): boolean {
  return a.length === b.length && a.every((item, at) => deepEqual(item, b[at] ?? null))
}

function equalMaps(a: GoMap, b: GoMap): boolean {
  if (a.isNil !== b.isNil || a.entries.size !== b.entries.size) return false
  if (a.entries === b.entries) return true
  for (const [key, value] of a.entries) {
    if (!b.entries.has(key) || !deepEqual(value, b.entries.get(key) ?? null)) return false
  }
  return true
}

function equalScalars(a: GoValue, b: GoValue): boolean {
  if (a instanceof GoInt && b instanceof GoInt) return a.value === b.value
  if (a instanceof GoFloat && b instanceof GoFloat) return a.value === b.value
  if (a instanceof GoNamed && b instanceof GoNamed) return a.value === b.value
  if (a instanceof GoComplex && b instanceof GoComplex) return a.re === b.re && a.im === b.im
  // Go never takes two functions for equal.
  return !(a instanceof GoFunc) && a === b
}
