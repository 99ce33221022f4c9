import { hasRawBytes } from './byte-string.ts'
import { formatFloat, type FloatFormat } from './float-text.ts'
import { isPrintable } from './quote.ts'

/** The flags of one verb: `%-08.3d`. */
export interface Flags {
  width: number | undefined
  precision: number | undefined
  plus: boolean
  minus: boolean
  sharp: boolean
  space: boolean
  zero: boolean
  /** `%+v` */
  plusV: boolean
  /** `%#v` */
  sharpV: boolean
}

export function noFlags(): Flags {
  return {
    width: undefined,
    precision: undefined,
    plus: false,
    minus: false,
    sharp: false,
    space: false,
    zero: false,
    plusV: false,
    sharpV: false,
  }
}

/** Fills up to the width, by characters. `zero` false keeps zeros away where the number has placed its own. */
export function pad(text: string, flags: Flags, zero = flags.zero): string {
  const missing = (flags.width ?? 0) - runeCount(text)
  if (missing <= 0) return text
  return flags.minus ? text + ' '.repeat(missing) : (zero ? '0' : ' ').repeat(missing) + text
}

export function runeCount(text: string): number {
  if (text.length < 64 && !hasRawBytes(text) && /^[\0-\x7f]*$/.test(text)) return text.length
  let count = 0
  for (const _ of text) count++
  return count
}

/** Integers in a base, as fmt writes them with its flags. */
export function printInteger(
  value: bigint,
  base: 2 | 8 | 10 | 16,
  flags: Flags,
  style: { upper?: boolean; verb?: string } = {},
): string {
  const negative = value < 0n
  const size = negative ? -value : value
  const { precision, width } = flags
  if (precision === 0 && size === 0n) return ' '.repeat(width ?? 0)
  let least = precision ?? 0
  if (precision === undefined && flags.zero && !flags.minus && width !== undefined) {
    least = negative || flags.plus || flags.space ? width - 1 : width
  }
  let digits = size.toString(base).padStart(least, '0')
  if (style.upper) digits = digits.toUpperCase()
  const prefix = flags.sharp ? basePrefix(base, digits, style.upper === true) : ''
  const sign = negative ? '-' : flags.plus ? '+' : flags.space ? ' ' : ''
  return pad(`${sign}${style.verb === 'O' ? '0o' : ''}${prefix}${digits}`, flags, false)
}

function basePrefix(base: number, digits: string, upper: boolean): string {
  if (base === 2) return '0b'
  if (base === 8) return digits.startsWith('0') ? '' : '0'
  return base === 16 ? (upper ? '0X' : '0x') : ''
}

/** `%U` */
export function printUnicode(value: bigint, flags: Flags): string {
  const digits = value
    .toString(16)
    .toUpperCase()
    .padStart(Math.max(4, flags.precision ?? 4), '0')
  const char = value <= 0x10ffffn && !(value >= 0xd800n && value <= 0xdfffn) ? String.fromCodePoint(Number(value)) : ''
  const shown = flags.sharp && char !== '' && isPrintable(char) ? ` '${char}'` : ''
  return pad(`U+${digits}${shown}`, flags, false)
}

/** Floats with fmt's flags. `fallback` is the precision when none is given. */
export function printFloat(value: number, bits: 32 | 64, format: FloatFormat, fallback: number, flags: Flags): string {
  const precision = flags.precision ?? fallback
  let text = formatFloat(value, format, precision, bits)
  if (!/^[+-]/.test(text)) text = `+${text}`
  if (flags.space && text.startsWith('+') && !flags.plus) text = ` ${text.slice(1)}`
  if (text[1] === 'I' || text[1] === 'N') {
    if (text[1] === 'N' && !flags.space && !flags.plus) text = text.slice(1)
    return pad(text, flags, false)
  }
  if (flags.sharp && format !== 'b') text = keepPoint(text, format, precision)
  if (!flags.plus && text.startsWith('+')) return pad(text.slice(1), flags)
  const missing = (flags.width ?? 0) - text.length
  if (flags.zero && !flags.minus && missing > 0) return `${text[0]}${'0'.repeat(missing)}${text.slice(1)}`
  return pad(text, flags)
}

/** `%#g`: always a decimal point, and zeros up to the precision. */
function keepPoint(signed: string, format: FloatFormat, precision: number): string {
  let missing = format === 'g' || format === 'G' || format === 'x' ? (precision === -1 ? 6 : precision) : 0
  const hexadecimal = format === 'x' || format === 'X'
  const tailAt = signed.search(hexadecimal ? /[pP]/ : /[eEpP]/)
  const tail = tailAt < 0 ? '' : signed.slice(tailAt)
  let head = tailAt < 0 ? signed : signed.slice(0, tailAt)
  let significant = false
  for (const char of head.slice(1)) {
    if (char === '.') continue
    if (char !== '0') significant = true
    if (significant) missing--
  }
  if (!head.includes('.')) {
    if (head.length === 2 && head[1] === '0') missing--
    head += '.'
  }
  return head + '0'.repeat(Math.max(0, missing)) + tail
}
