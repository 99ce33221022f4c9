import { parseFloat64 } from '../go/parse-number.ts'
import { GoNamed, GoPointer, type GoValue, floatIn, integerIn } from '../go/value.ts'

const maxInt64 = (1n << 63n) - 1n
const minInt64 = -(1n << 63n)

/** sprig's `int64` of anything: text in base 10, floats cut to their whole part, true is 1; 0 for what is no number. */
export function toInt64(value: GoValue): bigint {
  if (typeof value === 'string') return parseInt64(value, 10) ?? 0n
  const plain = pointedAt(value)
  const whole = integerIn(plain)
  if (whole !== undefined) return whole > maxInt64 ? maxInt64 : whole
  const real = floatIn(plain)
  if (real !== undefined) return truncateFloat(real)
  return isTruth(plain) ? 1n : 0n
}

/** sprig's `float64` of anything; 0 for what is no number. */
export function toFloat64(value: GoValue): number {
  if (typeof value === 'string') return parseFloat64(value) ?? 0
  const plain = pointedAt(value)
  const whole = integerIn(plain)
  if (whole !== undefined) return Number(whole)
  return floatIn(plain) ?? (isTruth(plain) ? 1 : 0)
}

/** `strconv.ParseInt(text, base, 64)`; undefined for bad syntax and what does not fit. */
export function parseInt64(text: string, base: 8 | 10): bigint | undefined {
  const value = readInteger(text, base)
  return value === undefined || value > maxInt64 || value < minInt64 ? undefined : value
}

/** `strconv.Atoi` with its error ignored: 0 for bad syntax, the nearest int for what does not fit. */
export function atoi(text: string): bigint {
  const value = readInteger(text, 10) ?? 0n
  return value > maxInt64 ? maxInt64 : value < minInt64 ? minInt64 : value
}

function readInteger(text: string, base: 8 | 10): bigint | undefined {
  const match = (base === 8 ? /^([+-]?)([0-7]+)$/ : /^([+-]?)(\d+)$/).exec(text)
  if (!match) return undefined
  const size = BigInt(base === 8 ? `0o${match[2]}` : (match[2] ?? ''))
  return match[1] === '-' ? -size : size
}

/** `int64(f)` as amd64 does it: what does not fit becomes the smallest int64. */
function truncateFloat(value: number): bigint {
  if (!Number.isFinite(value)) return minInt64
  const whole = BigInt(Math.trunc(value))
  return whole > maxInt64 || whole < minInt64 ? minInt64 : whole
}

function pointedAt(value: GoValue): GoValue {
  return value instanceof GoPointer ? value.target : value
}

function isTruth(value: GoValue): boolean {
  return value === true || (value instanceof GoNamed && value.value === true)
}
