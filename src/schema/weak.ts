import type { Static, TObject, TSchema } from './build.ts'
import type { Finding } from './check.ts'

/**
 * Reads a value as Kanister's functions read theirs ("weak" decoding, functions.md 1.2 there): arguments come out of templates as
 * text, so `"3"` is 3 where a number is wanted, a lone string is a list of one, `true` is `"1"` where text is wanted.
 *
 * All faults come back at once. `null` counts as absent. A field with a default is filled in; an optional one without stays absent.
 */
export function decodeWeak<S extends TObject>(
  schema: S,
  value: unknown,
): { readonly value: Static<S>; readonly findings: Finding[] } {
  const findings: Finding[] = []
  const decoded = decode(schema, value, '', findings)
  // With no findings every field was checked or converted to its schema's type above.
  return { value: decoded as Static<S>, findings }
}

type Shape = TSchema & {
  readonly type?: string
  readonly enum?: readonly string[]
  readonly items?: TSchema
  readonly properties?: Record<string, TSchema>
  readonly required?: readonly string[]
  readonly patternProperties?: Record<string, TSchema>
  readonly default?: unknown
  readonly minimum?: number
  readonly maximum?: number
}

function decode(schema: TSchema, value: unknown, at: string, findings: Finding[]): unknown {
  const shape = schema as Shape
  if (shape.enum) return decodeWord(shape.enum, value, at, findings)
  switch (shape.type) {
    case 'string':
      return decodeText(value, at, findings)
    case 'integer':
      return decodeInteger(shape, value, at, findings)
    case 'boolean':
      return decodeFlag(value, at, findings)
    case 'array':
      return decodeList(shape, value, at, findings)
    case 'object':
      return decodeObject(shape, value, at, findings)
    default:
      return value
  }
}

function wrong(wanted: string, value: unknown, at: string, findings: Finding[]): undefined {
  findings.push({ at, message: `must be ${wanted}, got ${describe(value)}` })
  return undefined
}

/** Names the kind of a value only: an argument may hold a secret. */
function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a map'
  if (typeof value === 'string') return value === '' ? 'an empty text' : 'a text'
  return `a ${typeof value}`
}

function decodeText(value: unknown, at: string, findings: Finding[]): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (typeof value === 'boolean') return value ? '1' : '0'
  return wrong('text', value, at, findings)
}

function decodeWord(words: readonly string[], value: unknown, at: string, findings: Finding[]): string | undefined {
  const given = typeof value === 'string' ? words.find((word) => word.toLowerCase() === value.toLowerCase()) : undefined
  return given ?? wrong(`one of ${words.join(', ')}`, value, at, findings)
}

function decodeInteger(shape: Shape, value: unknown, at: string, findings: Finding[]): number | undefined {
  const number = integerOf(value)
  if (number === undefined) return wrong('a whole number', value, at, findings)
  if (shape.minimum !== undefined && number < shape.minimum) {
    findings.push({ at, message: `must be at least ${shape.minimum}` })
  }
  if (shape.maximum !== undefined && number > shape.maximum) {
    findings.push({ at, message: `must be at most ${shape.maximum}` })
  }
  return number
}

function integerOf(value: unknown): number | undefined {
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'number') return Number.isFinite(value) ? Math.trunc(value) : undefined
  if (typeof value !== 'string') return undefined
  if (value === '') return 0
  return /^[+-]?\d+$/.test(value) && Number.isSafeInteger(Number(value)) ? Number(value) : undefined
}

const trueWords = ['1', 't', 'T', 'TRUE', 'true', 'True']
const falseWords = ['0', 'f', 'F', 'FALSE', 'false', 'False', '']

function decodeFlag(value: unknown, at: string, findings: Finding[]): boolean | undefined {
  if (typeof value === 'boolean') return value
  if (typeof value === 'number') return value !== 0
  if (typeof value === 'string' && trueWords.includes(value)) return true
  if (typeof value === 'string' && falseWords.includes(value)) return false
  return wrong('true or false', value, at, findings)
}

function decodeList(shape: Shape, value: unknown, at: string, findings: Finding[]): unknown[] | undefined {
  const item = shape.items as TSchema
  if (Array.isArray(value)) return value.map((inner, index) => decode(item, inner, `${at}[${index}]`, findings))
  if (isMap(value)) return Object.keys(value).length === 0 ? [] : wrong('a list', value, at, findings)
  return [decode(item, value, `${at}[0]`, findings)]
}

function decodeObject(shape: Shape, value: unknown, at: string, findings: Finding[]): unknown {
  const source = Array.isArray(value) && value.every(isMap) ? Object.assign({}, ...value) : value
  if (!isMap(source)) return wrong('a map', value, at, findings)
  if (shape.properties) return decodeFields(shape, source, at, findings)
  const inner = shape.patternProperties && Object.values(shape.patternProperties)[0]
  if (!inner) return source
  return Object.fromEntries(Object.entries(source).map(([key, item]) => [key, decode(inner, item, join(at, key), findings)]))
}

function decodeFields(shape: Shape, source: Record<string, unknown>, at: string, findings: Finding[]): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const [name, inner] of Object.entries(shape.properties ?? {})) {
    const given = findField(source, name, at)
    if (given !== undefined && given !== null) out[name] = decode(inner, given, join(at, name), findings)
    else if ((inner as Shape).default !== undefined) out[name] = (inner as Shape).default
    else if (shape.required?.includes(name)) findings.push({ at: join(at, name), message: 'is required' })
  }
  return out
}

/** Below the top, field names are matched without case, as Kanister matches object references. */
function findField(source: Record<string, unknown>, name: string, at: string): unknown {
  if (name in source || at === '') return source[name]
  const key = Object.keys(source).find((candidate) => candidate.toLowerCase() === name.toLowerCase())
  return key === undefined ? undefined : source[key]
}

function join(at: string, name: string): string {
  return at === '' ? name : `${at}.${name}`
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
