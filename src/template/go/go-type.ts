import type { GoValue, GoBytes, GoFunc, GoMap, GoSlice } from './value.ts'

/** The kinds of Go's package reflect, under its names (`ptr` as reflect prints it). */
export type GoKind =
  | 'bool'
  | 'int'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'uintptr'
  | 'float32'
  | 'float64'
  | 'complex64'
  | 'complex128'
  | 'string'
  | 'slice'
  | 'map'
  | 'struct'
  | 'ptr'
  | 'func'
  | 'interface'

/**
 * A Go type. Two types are the same when their `name` is: it is what `%T` prints (`[]interface {}`, `map[string]string`,
 * `v1.Secret`, `*param.ProfileParams`, `time.Duration`).
 *
 * `Native` exists for TypeScript only: what an implementation of a template function sees for a parameter of this type
 * (see functions/define.ts): string, boolean, `bigint` for every integer, `number` for every float, else the GoValue.
 */
export interface GoType<out Native = unknown> {
  readonly kind: GoKind
  readonly name: string
  /** A defined type (`time.Duration`) as against a literal one (`[]string`). Predeclared types (`int`) are defined too. */
  readonly defined: boolean
  /** Of a defined type over a literal one: that one's name. Go assigns between the two. */
  readonly underlying?: string
  /** Of slice, map and ptr. */
  readonly elem?: GoType
  /** Of map: a string, bool, integer or float type. */
  readonly key?: GoType
  /** Of struct, in order; embedded ones are named like their type. */
  readonly fields?: readonly GoField[]
  /** Indexes of the embedded fields, of types made by `structType`. */
  readonly embedded?: readonly number[]
  /** Index of each field by its name, of types made by `structType`. */
  readonly fieldIndex?: ReadonlyMap<string, number>
  /** Methods of the type. Those of a pointer receiver carry `pointer: true`. */
  readonly methods?: Readonly<Record<string, GoMethod>>
  readonly native?: Native
}

export interface GoField {
  readonly name: string
  readonly type: GoType
  /** Its fields and methods are reached without naming it. */
  readonly embedded?: boolean
  /** The `json` tag as in Go: `name`, `name,omitempty`, `,inline`, `-`. Without one the field's own name is used. */
  readonly json?: string
}

/** A method as templates can call it. `call` gets plain GoValues that were checked against `params`. */
export interface GoMethod {
  readonly pointer?: boolean
  /** May be called on a nil pointer; the receiver is null then. */
  readonly nilSafe?: boolean
  readonly params: readonly GoType[]
  readonly variadic?: boolean
  readonly result: GoType
  /** A further result besides the first: templates accept an `error` only, and refuse others with a text of their own. */
  readonly second?: 'error' | GoType
  call(receiver: GoValue, args: readonly GoValue[]): GoValue
}

const predeclared = <Native>(kind: GoKind): GoType<Native> => Object.freeze({ kind, name: kind, defined: true })

export const bool = predeclared<boolean>('bool')
export const string = predeclared<string>('string')
export const int = predeclared<bigint>('int')
export const int8 = predeclared<bigint>('int8')
export const int16 = predeclared<bigint>('int16')
export const int32 = predeclared<bigint>('int32')
export const int64 = predeclared<bigint>('int64')
export const uint = predeclared<bigint>('uint')
export const uint8 = predeclared<bigint>('uint8')
export const uint16 = predeclared<bigint>('uint16')
export const uint32 = predeclared<bigint>('uint32')
export const uint64 = predeclared<bigint>('uint64')
export const uintptr = predeclared<bigint>('uintptr')
export const float32 = predeclared<number>('float32')
export const float64 = predeclared<number>('float64')
export const complex64 = predeclared<GoValue>('complex64')
export const complex128 = predeclared<GoValue>('complex128')

/** `interface{}`: any value, nil among them. */
export const any: GoType<GoValue> = Object.freeze({ kind: 'interface', name: 'interface {}', defined: false })

export function sliceOf(elem: GoType): GoType<GoSlice> {
  return { kind: 'slice', name: `[]${elem.name}`, defined: false, elem }
}

export function mapOf(key: GoType, elem: GoType): GoType<GoMap> {
  return { kind: 'map', name: `map[${key.name}]${elem.name}`, defined: false, key, elem }
}

export function pointerTo(elem: GoType): GoType<GoValue> {
  return { kind: 'ptr', name: `*${elem.name}`, defined: false, elem }
}

/** `[]byte`; Go prints it as `[]uint8`. Its values are GoBytes. */
export const bytes: GoType<GoBytes> = Object.freeze({ kind: 'slice', name: '[]uint8', defined: false, elem: uint8 })
/** `[]interface{}` */
export const anySlice = sliceOf(any)
/** `[]string` */
export const stringSlice = sliceOf(string)
/** `map[string]interface{}`: what sprig's dictionaries are. */
export const anyMap = mapOf(string, any)
/** `map[string]string` */
export const stringMap = mapOf(string, string)
/** Type of values made from template functions; templates cannot name one, so one type is enough. */
export const func: GoType<GoFunc> = Object.freeze({ kind: 'func', name: 'func()', defined: false })

/** `type Name Underlying`, with methods: `definedType('time.Duration', int64, {…})`. */
export function definedType<Native>(
  name: string,
  underlying: GoType<Native>,
  methods: Readonly<Record<string, GoMethod>> = {},
): GoType<Native> {
  const literal = underlying.defined ? underlying.underlying : underlying.name
  return { ...underlying, name, defined: true, methods, ...(literal === undefined ? {} : { underlying: literal }) }
}

export function structType(
  name: string,
  fields: readonly GoField[],
  methods: Readonly<Record<string, GoMethod>> = {},
): GoType<GoValue> {
  const embedded = fields.flatMap((field, at) => (field.embedded ? [at] : []))
  const fieldIndex = new Map(fields.map((field, at) => [field.name, at]))
  return { kind: 'struct', name, defined: true, fields, methods, embedded, fieldIndex }
}

export function sameType(a: GoType, b: GoType): boolean {
  return a === b || a.name === b.name
}

export function isSigned(kind: GoKind): boolean {
  return kind === 'int' || kind === 'int64' || kind === 'int32' || kind === 'int16' || kind === 'int8'
}

export function isUnsigned(kind: GoKind): boolean {
  return kind.startsWith('uint')
}

export function isInteger(kind: GoKind): boolean {
  return isSigned(kind) || isUnsigned(kind)
}

export function isFloat(kind: GoKind): boolean {
  return kind === 'float64' || kind === 'float32'
}

export function isComplex(kind: GoKind): boolean {
  return kind === 'complex128' || kind === 'complex64'
}

/** Width of a numeric kind in bits; int, uint and uintptr have 64. */
export function bitsOf(kind: GoKind): number {
  const digits = /\d+$/.exec(kind)
  return digits ? Number(digits[0]) : 64
}
