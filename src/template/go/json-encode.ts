import { goJson } from '../../base/go-json.ts'
import { FunctionError } from '../functions/define.ts'
import { formatFloat } from './float-text.ts'
import { hasRawBytes } from './byte-string.ts'
import { bitsOf, type GoField, type GoType, isFloat, isInteger } from './go-type.ts'
import { findMethod, isExported } from './members.ts'
import { sortedKeys } from './sorted-keys.ts'
import { timeParts } from './time-format.ts'
import { rfc3339 } from './time-type.ts'
import {
  floatIn,
  GoBytes,
  GoMap,
  GoNamed,
  GoPointer,
  GoSlice,
  GoStruct,
  GoTime,
  type GoValue,
  integerIn,
  textIn,
  typeOf,
} from './value.ts'

/**
 * `json.Marshal(v)` (sprig's toJson), or `json.MarshalIndent(v, "", indent)` when an indent is given (toPrettyJson: two
 * spaces). Throws a FunctionError with Go's text for what JSON cannot hold (NaN, functions).
 */
export function encodeJson(value: GoValue, indent = ''): string {
  const compact = encode(value)
  return indent === '' ? compact : pretty(compact, indent)
}

function encode(value: GoValue): string {
  if (value === null) return 'null'
  const text = textIn(value)
  if (text !== undefined) return encodeText(text)
  const number = integerIn(value)
  if (number !== undefined) return number.toString()
  const float = floatIn(value)
  if (float !== undefined) return encodeFloat(float, bitsOf(typeOf(value).kind) === 32 ? 32 : 64)
  if (typeof value === 'boolean') return String(value)
  if (value instanceof GoNamed) return String(value.value)
  const own = ownJson(value)
  if (own !== undefined) return own
  if (value instanceof GoPointer) return encode(value.target)
  if (value instanceof GoSlice) return value.isNil ? 'null' : `[${value.items.map(encode).join(',')}]`
  if (value instanceof GoBytes) return value.isNil ? 'null' : `"${Buffer.from(value.bytes).toString('base64')}"`
  if (value instanceof GoMap) return encodeMap(value)
  if (value instanceof GoStruct) return encodeStruct(value)
  if (value instanceof GoTime) return encodeTime(value)
  throw new FunctionError(`json: unsupported type: ${typeOf(value).name}`)
}

/** What a type that writes its own JSON gives (semver.Version, metav1.Time). */
function ownJson(value: GoValue): string | undefined {
  if (!(value instanceof GoPointer || value instanceof GoStruct)) return undefined
  const found = findMethod(value, 'MarshalJSON', false)
  if (!found || found.receiver === null) return undefined
  const result = found.method.call(found.receiver, [])
  return result instanceof GoBytes ? Buffer.from(result.bytes).toString('utf8') : undefined
}

/** Bytes outside of UTF-8 become U+FFFD, which is then written as an escape, though one that was there before is not. */
function encodeText(text: string): string {
  if (!hasRawBytes(text)) return goJson(text)
  const parts = text.split(/(?<![\ud800-\udbff])[\udc80-\udcff]/).map((part) => goJson(part).slice(1, -1))
  return `"${parts.join('\\ufffd')}"`
}

/** Shortest digits; an exponent below 10^-6 and from 10^21 on, without a leading zero of its own. */
function encodeFloat(value: number, bits: 32 | 64): string {
  if (!Number.isFinite(value)) throw new FunctionError(`json: unsupported value: ${formatFloat(value, 'g', -1, bits)}`)
  const size = Math.abs(value)
  const small = bits === 32 ? Math.fround(1e-6) : 1e-6
  const plain = size === 0 || (size >= small && size < 1e21)
  return plain ? formatFloat(value, 'f', -1, bits) : formatFloat(value, 'e', -1, bits).replace(/e-0(\d)$/, 'e-$1')
}

function encodeMap(map: GoMap): string {
  if (map.isNil) return 'null'
  const kind = (map.type.key as GoType).kind
  if (kind !== 'string' && !isInteger(kind)) throw new FunctionError(`json: unsupported type: ${map.type.name}`)
  // Keys go by their text, so 10 stands before 2.
  const keys = kind === 'string' ? sortedKeys(map) : [...map.entries.keys()].sort((a, b) => (String(a) < String(b) ? -1 : 1))
  const entries = keys.map((key) => `${encodeText(String(key))}:${encode(map.entries.get(key) ?? null)}`)
  return `{${entries.join(',')}}`
}

function encodeStruct(struct: GoStruct): string {
  const entries: string[] = []
  addEntries(struct, entries)
  return `{${entries.join(',')}}`
}

function addEntries(struct: GoStruct, entries: string[]): void {
  const fields = struct.type.fields ?? []
  for (let at = 0; at < fields.length; at++) {
    const field = fields[at] as GoField
    const { json = '' } = field
    if (json === '-' || !isExported(field.name)) continue
    const value = struct.values[at] ?? null
    const comma = json.indexOf(',')
    const tag = comma < 0 ? json : json.slice(0, comma)
    if (value instanceof GoStruct && isInlined(field, tag)) addEntries(value, entries)
    else if (!json.includes(',omitempty') || !isEmptyJson(value)) entries.push(`"${tag || field.name}":${encode(value)}`)
  }
}

function isInlined(field: GoField, tag: string): boolean {
  return field.embedded === true && tag === ''
}

/** Structs are never empty. */
function isEmptyJson(value: GoValue): boolean {
  if (value === null || value === false || value === '' || value === 0 || value === 0n) return true
  if (value instanceof GoMap) return value.entries.size === 0
  if (value instanceof GoSlice) return value.items.length === 0
  if (value instanceof GoBytes) return value.bytes.length === 0
  if (value instanceof GoPointer) return value.target === null
  if (value instanceof GoNamed) return value.value === '' || value.value === false
  const { kind } = typeOf(value)
  return (isInteger(kind) && integerIn(value) === 0n) || (isFloat(kind) && floatIn(value) === 0)
}

function encodeTime(time: GoTime): string {
  const { year } = timeParts(time)
  if (year < 0 || year >= 10_000) {
    throw new FunctionError(
      'json: error calling MarshalJSON for type time.Time: Time.MarshalJSON: year outside of range [0,9999]',
    )
  }
  return `"${rfc3339(time)}"`
}

/** Re-indents compact JSON: a line for each entry, empty lists and objects as they are. */
function pretty(compact: string, indent: string): string {
  let out = ''
  let depth = 0
  for (let at = 0; at < compact.length; at++) {
    const char = compact[at] ?? ''
    if (char === '"') {
      const end = endOfString(compact, at)
      out += compact.slice(at, end)
      at = end - 1
    } else if ((char === '{' || char === '[') && !/[}\]]/.test(compact[at + 1] ?? '')) {
      depth++
      out += `${char}\n${indent.repeat(depth)}`
    } else if ((char === '}' || char === ']') && !/[{[]/.test(compact[at - 1] ?? '')) {
      depth--
      out += `\n${indent.repeat(depth)}${char}`
    } else if (char === ',') out += `,\n${indent.repeat(depth)}`
    else out += char === ':' ? ': ' : char
  }
  return out
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at + 1
  }
  return text.length
}
