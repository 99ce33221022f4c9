export type FloatFormat = 'e' | 'E' | 'f' | 'g' | 'G' | 'x' | 'X' | 'b'

/** `strconv.FormatFloat(value, format, precision, bits)`; precision -1 is the shortest text that reads back the same. */
export function formatFloat(value: number, format: FloatFormat, precision: number, bits: 32 | 64): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  const size = Math.abs(value)
  switch (format) {
    case 'b':
      return sign + formatBinary(size, bits)
    case 'x':
      return sign + formatHex(size, precision)
    case 'X':
      return (sign + formatHex(size, precision)).toUpperCase()
    case 'f':
      return (
        sign +
        formatFixed(
          decimalOf(size, bits, precision, (point) => point + precision),
          precision,
        )
      )
    case 'e':
    case 'E': {
      const text = formatExponent(
        decimalOf(size, bits, precision, () => precision + 1),
        precision,
      )
      return sign + (format === 'E' ? text.toUpperCase() : text)
    }
    case 'g':
    case 'G': {
      const text = formatGeneral(size, bits, precision)
      return sign + (format === 'G' ? text.toUpperCase() : text)
    }
  }
}

/** 0.digits × 10^point, without zeros at the end; no digits for 0. */
interface Decimal {
  readonly digits: string
  readonly point: number
}

/** The shortest decimal (precision below 0), or the exact one rounded half to even to `count(point)` digits. */
function decimalOf(size: number, bits: 32 | 64, precision: number, count: (point: number) => number): Decimal {
  if (size === 0) return { digits: '', point: 0 }
  if (precision < 0) return shortest(size, bits)
  const exact = exactDecimal(size)
  return rounded(exact, count(exact.point))
}

function shortest(size: number, bits: 32 | 64): Decimal {
  let text = size.toExponential()
  if (bits === 32) {
    for (let digits = 0; digits < 9; digits++) {
      text = size.toExponential(digits)
      if (Math.fround(Number(text)) === size) break
    }
  }
  const [mantissa = '', exponent = '0'] = text.split('e')
  return { digits: mantissa.replace('.', '').replace(/0+$/, ''), point: Number(exponent) + 1 }
}

function exactDecimal(size: number): Decimal {
  const { mantissa, exponent } = binaryParts(size)
  const whole = exponent >= 0 ? mantissa << BigInt(exponent) : mantissa * 5n ** BigInt(-exponent)
  const digits = whole.toString()
  return { digits: digits.replace(/0+$/, ''), point: digits.length + Math.min(0, exponent) }
}

/** size = mantissa × 2^exponent */
function binaryParts(size: number): { mantissa: bigint; exponent: number } {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, size)
  const raw = view.getBigUint64(0)
  const biased = Number(raw >> 52n)
  const fraction = raw & ((1n << 52n) - 1n)
  return biased === 0 ? { mantissa: fraction, exponent: -1074 } : { mantissa: fraction | (1n << 52n), exponent: biased - 1075 }
}

function rounded(value: Decimal, count: number): Decimal {
  const { digits, point } = value
  if (count >= digits.length) return value
  if (count < 0) return { digits: '', point: 0 }
  const kept = digits.slice(0, count)
  const next = digits.charCodeAt(count) - 48
  const tie = next === 5 && digits.length === count + 1
  const up = tie ? count > 0 && (kept.charCodeAt(count - 1) - 48) % 2 === 1 : next >= 5
  if (!up) return trimmed(kept, point)
  const raised = (BigInt(kept || '0') + 1n).toString().padStart(count, '0')
  return trimmed(raised, point + Math.max(0, raised.length - count))
}

function trimmed(digits: string, point: number): Decimal {
  const kept = digits.replace(/0+$/, '')
  return { digits: kept, point: kept === '' ? 0 : point }
}

function formatFixed({ digits, point }: Decimal, precision: number): string {
  const places = precision < 0 ? Math.max(digits.length - point, 0) : precision
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0'
  if (places === 0) return whole
  const fraction = (point < 0 ? '0'.repeat(Math.min(-point, places)) : '') + digits.slice(Math.max(0, point))
  return `${whole}.${fraction.slice(0, places).padEnd(places, '0')}`
}

function formatExponent({ digits, point }: Decimal, precision: number): string {
  const places = precision < 0 ? Math.max(digits.length - 1, 0) : precision
  const fraction = places > 0 ? `.${digits.slice(1, places + 1).padEnd(places, '0')}` : ''
  const exponent = digits === '' ? 0 : point - 1
  return `${digits[0] ?? '0'}${fraction}e${exponent < 0 ? '-' : '+'}${Math.abs(exponent).toString().padStart(2, '0')}`
}

function formatGeneral(size: number, bits: 32 | 64, precision: number): string {
  const wanted = precision === 0 ? 1 : precision
  const decimal = decimalOf(size, bits, wanted, () => wanted)
  const { digits, point } = decimal
  // An exponent is used below 10^-4 and from 10^limit on; 6 for the shortest form.
  let limit = wanted
  if (limit > digits.length && digits.length >= point) limit = digits.length
  if (wanted < 0) limit = 6
  const exponent = digits === '' ? -1 : point - 1
  if (exponent >= -4 && exponent < limit) return formatFixed(decimal, Math.max(digits.length - point, 0))
  if (digits === '') return '0'
  return formatExponent(decimal, digits.length - 1)
}

function formatBinary(size: number, bits: 32 | 64): string {
  const { mantissa, exponent } = bits === 64 ? binaryParts(size) : singleParts(size)
  return `${mantissa}p${exponent < 0 ? '-' : '+'}${Math.abs(exponent)}`
}

/** As binaryParts, with the 24 bits of a float32. */
function singleParts(size: number): { mantissa: bigint; exponent: number } {
  if (size === 0) return { mantissa: 0n, exponent: -149 }
  const { mantissa, exponent } = binaryParts(size)
  const shift = Math.max(29, -149 - exponent)
  return { mantissa: mantissa >> BigInt(shift), exponent: exponent + shift }
}

/** `1.8p+01`: one hexadecimal digit before the point, `precision` behind it (-1: as many as needed). */
function formatHex(size: number, precision: number): string {
  if (size === 0) return `0x0${precision > 0 ? `.${'0'.repeat(precision)}` : ''}p+00`
  const parts = binaryParts(size)
  const lead = parts.mantissa.toString(2).length - 1
  // The leading bit, then 15 hexadecimal digits.
  let mantissa = parts.mantissa << BigInt(60 - lead)
  let exponent = parts.exponent + lead
  if (precision >= 0 && precision < 15) {
    const drop = BigInt(60 - precision * 4)
    const rest = mantissa & ((1n << drop) - 1n)
    mantissa >>= drop
    const half = 1n << (drop - 1n)
    if (rest > half || (rest === half && (mantissa & 1n) === 1n)) mantissa += 1n
    mantissa <<= drop
    if (mantissa >= 1n << 61n) {
      mantissa >>= 1n
      exponent++
    }
  }
  const digits = mantissa.toString(16)
  const fraction =
    precision < 0 ? digits.slice(1).replace(/0+$/, '') : digits.slice(1).padEnd(precision, '0').slice(0, precision)
  const sign = exponent < 0 ? '-' : '+'
  return `0x${digits[0]}${fraction === '' ? '' : `.${fraction}`}p${sign}${Math.abs(exponent).toString().padStart(2, '0')}`
}
