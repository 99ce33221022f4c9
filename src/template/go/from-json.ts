import { pointerPart } from '../../base/json-pointer.ts'
import {
  any,
  anyMap,
  bool,
  bytes as bytesType,
  float32,
  float64,
  type GoType,
  int,
  int16,
  int32,
  int64,
  int8,
  isFloat,
  isInteger,
  mapOf,
  sliceOf,
  string,
  uint,
  uint16,
  uint32,
  uint64,
  uint8,
} from './go-type.ts'
import { parseFloat64 } from './parse-number.ts'
import { durationType, goTime, localZone, parseRfc3339, timeType } from './time-type.ts'
import {
  float,
  GoBytes,
  type GoKey,
  GoMap,
  GoNamed,
  GoPointer,
  GoSlice,
  GoStruct,
  type GoValue,
  integer,
  text,
  zeroOf,
} from './value.ts'

/** The type of integers where JSON says no more: `int` for plain data, `int64` for objects of Kubernetes. */
export interface FromJsonOptions {
  /** JSON pointer → name of a Go type, where it is not the default of its JSON. */
  readonly types?: Readonly<Record<string, string>>
  /** @default int */
  readonly integers?: GoType
}

/**
 * Go values of JSON data. By default: objects are `map[string]interface{}`, arrays `[]interface{}`, numbers without a
 * fraction integers, others float64. Data read with parseExactJson keep their exact form.
 */
export function fromJson(data: unknown, options: FromJsonOptions = {}): GoValue {
  return convert(data, options, '')
}

/** An object of the API server: integers are int64. */
export function fromKubernetesObject(data: unknown): GoValue {
  return convert(data, { integers: int64 }, '')
}

/** JSON.parse that keeps integers beyond 2^53 (as bigint) and tells 1 from 1.0 (as ExactFloat). */
export function parseExactJson(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) => {
    if (typeof value !== 'number' || context?.source === undefined) return value
    return /[.eE]/.test(context.source) ? new ExactFloat(value) : BigInt(context.source)
  })
}

/** A JSON number that was written as a float, whatever its size. */
export class ExactFloat {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }

  toJSON(): number {
    return this.value
  }
}

function convert(data: unknown, options: FromJsonOptions, pointer: string): GoValue {
  const typeName = options.types?.[pointer]
  if (typeName !== undefined) return convertTo(namedType(typeName), data)
  if (data === null || data === undefined) return null
  if (typeof data === 'bigint' || (typeof data === 'number' && Number.isInteger(data))) {
    const whole = BigInt(data)
    // What does not fit into 64 bits is a float, as Kubernetes reads it.
    return BigInt.asIntN(64, whole) === whole ? integer(options.integers ?? int, whole) : Number(data)
  }
  if (typeof data === 'number') return data
  if (data instanceof ExactFloat) return data.value
  if (typeof data !== 'object') return data as string | boolean
  if (Array.isArray(data)) {
    return new GoSlice(
      sliceOf(any),
      data.map((item, at) => convert(item, options, `${pointer}/${at}`)),
    )
  }
  const entries = Object.entries(data).map(
    ([key, value]) => [key, convert(value, options, `${pointer}/${pointerPart(key)}`)] as const,
  )
  return new GoMap(anyMap, new Map<GoKey, GoValue>(entries))
}

/** A value of exactly this type from its JSON; null and undefined give the zero value. */
export function convertTo(type: GoType, data: unknown): GoValue {
  if (type.kind === 'interface') return convert(data, { integers: int64 }, '')
  if (data === null || data === undefined) return zeroOf(type)
  if (type === timeType) return parseRfc3339(readText(data)) ?? zeroOf(type)
  if (isInteger(type.kind)) return integer(type, readInteger(data))
  if (isFloat(type.kind)) return float(type, readFloat(data))
  switch (type.kind) {
    case 'bool':
      return type.name === 'bool' ? data === true : new GoNamed(type, data === true)
    case 'string':
      return text(type, readText(data))
    case 'slice':
      if (type.elem?.kind === 'uint8')
        return new GoBytes(data instanceof Uint8Array ? data : Buffer.from(readText(data), 'base64'))
      return new GoSlice(
        type,
        (data as readonly unknown[]).map((item) => convertTo(type.elem ?? any, item)),
      )
    case 'map':
      return convertMap(type, data as object)
    case 'ptr':
      return new GoPointer(type, convertTo(type.elem ?? any, data))
    case 'struct':
      return convertStruct(type, data as Readonly<Record<string, unknown>>)
    default:
      throw new TypeError(`no JSON form is known for the Go type ${type.name}`)
  }
}

function convertMap(type: GoType, data: object): GoMap {
  const entries = Object.entries(data).map(([key, value]) => [readKey(type, key), convertTo(type.elem ?? any, value)] as const)
  return new GoMap(type, new Map<GoKey, GoValue>(entries))
}

/** Fields by the names of their `json` tags; inlined ones are looked for in the same object. */
function convertStruct(type: GoType, data: Readonly<Record<string, unknown>>): GoStruct {
  // Kubernetes keeps this one as the JSON it came in.
  if (type.name === 'v1.FieldsV1') return new GoStruct(type, [new GoBytes(Buffer.from(JSON.stringify(data)))])
  // It reads its times into the local zone, which shows in `%#v` and `.Location`.
  if (type.name === 'v1.Time') return new GoStruct(type, [localTime(data)])
  const values = (type.fields ?? []).map((field) => {
    const [tag = '', option] = (field.json ?? '').split(',')
    if (option === 'inline' || (field.embedded && tag === '')) return convertTo(field.type, data)
    return convertTo(field.type, Object.hasOwn(data, tag || field.name) ? data[tag || field.name] : undefined)
  })
  return new GoStruct(type, values)
}

function localTime(data: unknown): GoValue {
  const time = parseRfc3339(readText(data))
  return time ? goTime(time.unixNanos, localZone) : zeroOf(timeType)
}

function readKey(type: GoType, key: string): GoKey {
  const kind = type.key?.kind ?? 'string'
  if (kind === 'bool') return key === 'true'
  return isInteger(kind) ? BigInt(key) : key
}

function readText(data: unknown): string {
  return typeof data === 'string' ? data : JSON.stringify(data)
}

function readInteger(data: unknown): bigint {
  if (data instanceof ExactFloat) return BigInt(data.value)
  return typeof data === 'bigint' || typeof data === 'number' || typeof data === 'string' ? BigInt(data) : 0n
}

function readFloat(data: unknown): number {
  if (data instanceof ExactFloat) return data.value
  return typeof data === 'string' ? (parseFloat64(data) ?? Number.NaN) : Number(data)
}

const known: ReadonlyMap<string, GoType> = new Map<string, GoType>([
  ...[any, bool, string, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64, float32, float64].map(
    (type) => [type.name, type] as const,
  ),
  ['interface{}', any],
  ['byte', uint8],
  ['[]byte', bytesType],
  ['time.Time', timeType],
  ['time.Duration', durationType],
])

/** A type by how it is written: `[]string`, `map[string]map[string]string`, `time.Time`. */
export function namedType(name: string): GoType {
  const found = known.get(name)
  if (found) return found
  if (name.startsWith('[]')) return sliceOf(namedType(name.slice(2)))
  const map = /^map\[(\w+)\](.+)$/.exec(name)
  if (map?.[1] !== undefined && map[2] !== undefined) return mapOf(namedType(map[1]), namedType(map[2]))
  throw new TypeError(`the Go type ${name} is not known`)
}
