import {
  any,
  anyMap,
  anySlice,
  bitsOf,
  bool,
  bytes as bytesType,
  float64,
  func,
  type GoType,
  int,
  isComplex,
  isFloat,
  isInteger,
  isSigned,
  mapOf,
  sliceOf,
  string,
} from './go-type.ts'

/**
 * A Go value as templates see it. The common types are plain JavaScript, so that functions read naturally:
 *
 * | JavaScript | Go |
 * | --- | --- |
 * | `null` | nil in an `interface{}` (a typed nil is a GoSlice, GoMap, GoBytes or GoPointer without content) |
 * | `string` | `string`; bytes that are not UTF-8: see byte-string.ts |
 * | `boolean` | `bool` |
 * | `bigint` | `int` |
 * | `number` | `float64` |
 *
 * Everything else is one of the classes below and carries its `type`. A value of type int, float64, string or bool is
 * never wrapped (use `integer`, `float`, `text`, which choose). Maps are shared and mutable, as in Go (`set .m "k" 1`);
 * all else is treated as immutable.
 */
export type GoValue =
  | null
  | string
  | boolean
  | bigint
  | number
  | GoInt
  | GoFloat
  | GoComplex
  | GoNamed
  | GoSlice
  | GoBytes
  | GoMap
  | GoStruct
  | GoPointer
  | GoTime
  | GoFunc

/** Any integer type but `int` itself: int64, uint8, time.Duration … */
export class GoInt {
  readonly type: GoType
  readonly value: bigint
  constructor(type: GoType, value: bigint) {
    this.type = type
    this.value = value
  }
}

/** float32, and defined types over floats. The value of a float32 is rounded to one already. */
export class GoFloat {
  readonly type: GoType
  readonly value: number
  constructor(type: GoType, value: number) {
    this.type = type
    this.value = value
  }
}

export class GoComplex {
  readonly type: GoType
  readonly re: number
  readonly im: number
  constructor(type: GoType, re: number, im: number) {
    this.type = type
    this.re = re
    this.im = im
  }
}

/** A defined type over string or bool: `v1.SecretType`, `types.UID`. */
export class GoNamed {
  readonly type: GoType
  readonly value: string | boolean
  constructor(type: GoType, value: string | boolean) {
    this.type = type
    this.value = value
  }
}

/** Any slice but `[]byte`. `items` of undefined is a nil slice, which differs from an empty one in toJson and `eq nil`. */
export class GoSlice {
  readonly type: GoType
  readonly isNil: boolean
  /** Each item is a value of `type.elem` (for `[]int64` GoInts, for `[]interface{}` anything). */
  readonly items: readonly GoValue[]
  constructor(type: GoType, items: readonly GoValue[] | undefined) {
    this.type = type
    this.isNil = items === undefined
    this.items = items ?? []
  }
}

/** `[]byte` */
export class GoBytes {
  readonly type: GoType = bytesType
  readonly isNil: boolean
  readonly bytes: Uint8Array
  constructor(bytes: Uint8Array | undefined) {
    this.isNil = bytes === undefined
    this.bytes = bytes ?? new Uint8Array()
  }
}

/** What a map key is held as: the plain text, integer, truth or float, whatever the key's exact type. */
export type GoKey = string | bigint | boolean | number

export class GoMap {
  readonly type: GoType
  readonly isNil: boolean
  readonly entries: Map<GoKey, GoValue>
  constructor(type: GoType, entries: Map<GoKey, GoValue> | undefined) {
    this.type = type
    this.isNil = entries === undefined
    this.entries = entries ?? new Map<GoKey, GoValue>()
  }
}

/** Fields in the order of `type.fields`. */
export class GoStruct {
  readonly type: GoType
  readonly values: readonly GoValue[]
  constructor(type: GoType, values: readonly GoValue[]) {
    this.type = type
    this.values = values
  }
}

/** `target` of null is a nil pointer. */
export class GoPointer {
  readonly type: GoType
  readonly target: GoValue
  constructor(type: GoType, target: GoValue) {
    this.type = type
    this.target = target
  }
}

/** time.Time: an instant and the zone it is shown in. Its type with methods is in go/time-type.ts. */
export class GoTime {
  readonly type: GoType
  /** Nanoseconds since 1970 in UTC; the zero time of Go is year 1. */
  readonly unixNanos: bigint
  readonly zone: GoZone
  constructor(type: GoType, unixNanos: bigint, zone: GoZone) {
    this.type = type
    this.unixNanos = unixNanos
    this.zone = zone
  }
}

/** A time zone at the instant it is asked about. */
export interface GoZone {
  /** Name of the location as Go's `Location.String` gives it: `UTC`, `Local`, `Europe/Berlin`, '' for a bare offset. */
  readonly name: string
  /** Offset from UTC in seconds and abbreviation (`CET`, '' when it has none) at an instant. */
  at(unixNanos: bigint): { readonly offsetSeconds: number; readonly abbreviation: string }
}

/** A function value, for `call` and `range`. */
export class GoFunc {
  readonly type: GoType = func
  readonly params: readonly GoType[]
  readonly variadic: boolean
  readonly invoke: (args: readonly GoValue[]) => GoValue
  constructor(params: readonly GoType[], variadic: boolean, invoke: (args: readonly GoValue[]) => GoValue) {
    this.params = params
    this.variadic = variadic
    this.invoke = invoke
  }
}

/** The type of a value; `interface {}` for nil. */
export function typeOf(value: GoValue): GoType {
  switch (typeof value) {
    case 'string':
      return string
    case 'boolean':
      return bool
    case 'bigint':
      return int
    case 'number':
      return float64
    default:
      return value === null ? any : value.type
  }
}

/** An integer of any integer type, wrapped to its width as Go's arithmetic does. */
export function integer(type: GoType, value: bigint): GoValue {
  const bits = bitsOf(type.kind)
  const wrapped = isSigned(type.kind) ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value)
  return type === int || type.name === 'int' ? wrapped : new GoInt(type, wrapped)
}

/** A float of any float type. */
export function float(type: GoType, value: number): GoValue {
  if (type.name === 'float64') return value
  return new GoFloat(type, type.kind === 'float32' ? Math.fround(value) : value)
}

/** A string of any string type. */
export function text(type: GoType, value: string): GoValue {
  return type.name === 'string' ? value : new GoNamed(type, value)
}

/** `[]interface{}` of these. */
export function listOf(items: readonly GoValue[]): GoSlice {
  return new GoSlice(anySlice, items)
}

/** `[]string` of these. */
export function stringsOf(items: readonly string[]): GoSlice {
  return new GoSlice(sliceOf(string), items)
}

/** `map[string]interface{}` of these. */
export function dictOf(entries: Iterable<readonly [string, GoValue]>): GoMap {
  return new GoMap(anyMap, new Map<GoKey, GoValue>(entries))
}

/** `map[string]string` of these. */
export function stringMapOf(entries: Iterable<readonly [string, string]>): GoMap {
  return new GoMap(mapOf(string, string), new Map<GoKey, GoValue>(entries))
}

/** The integer in a value of any integer type, else undefined. */
export function integerIn(value: GoValue): bigint | undefined {
  if (typeof value === 'bigint') return value
  return value instanceof GoInt ? value.value : undefined
}

/** The float in a value of any float type, else undefined. */
export function floatIn(value: GoValue): number | undefined {
  if (typeof value === 'number') return value
  return value instanceof GoFloat ? value.value : undefined
}

/** The text in a value of any string type, else undefined. */
export function textIn(value: GoValue): string | undefined {
  if (typeof value === 'string') return value
  return value instanceof GoNamed && typeof value.value === 'string' ? value.value : undefined
}

/** The zero value of a type: what Go gives for a missing entry of a typed map. */
export function zeroOf(type: GoType): GoValue {
  if (type.name === 'time.Time') return new GoTime(type, zeroTimeNanos, utc)
  if (isInteger(type.kind)) return integer(type, 0n)
  if (isFloat(type.kind)) return float(type, 0)
  if (isComplex(type.kind)) return new GoComplex(type, 0, 0)
  switch (type.kind) {
    case 'bool':
      return type.name === 'bool' ? false : new GoNamed(type, false)
    case 'string':
      return text(type, '')
    case 'slice':
      return type.elem?.kind === 'uint8' ? new GoBytes(undefined) : new GoSlice(type, undefined)
    case 'map':
      return new GoMap(type, undefined)
    case 'struct':
      return new GoStruct(
        type,
        (type.fields ?? []).map((field) => zeroOf(field.type)),
      )
    case 'ptr':
      return new GoPointer(type, null)
    default:
      return null
  }
}

/** The value a map key stands for, of the map's key type. */
export function keyValue(map: GoMap, key: GoKey): GoValue {
  const type = map.type.key ?? string
  if (typeof key === 'string') return text(type, key)
  if (typeof key === 'bigint') return integer(type, key)
  if (typeof key === 'number') return float(type, key)
  return type.name === 'bool' ? key : new GoNamed(type, key)
}

/** 0001-01-01T00:00:00Z, in nanoseconds since 1970. */
export const zeroTimeNanos = -62_135_596_800_000_000_000n

export const utc: GoZone = Object.freeze({ name: 'UTC', at: () => ({ offsetSeconds: 0, abbreviation: 'UTC' }) })
