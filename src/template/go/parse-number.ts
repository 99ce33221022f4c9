/** `strconv.ParseInt(text, 0, 64)` without its range: sign, 0x 0o 0b 0 prefixes, underscores; undefined for bad syntax. */
export function parseInteger(text: string): bigint | undefined {
  const match = /^([+-]?)(0[xX]_?[0-9a-fA-F][0-9a-fA-F_]*|0[bB]_?[01][01_]*|0[oO]?_?[0-7][0-7_]*|[1-9][0-9_]*|0)$/.exec(text)
  const digits = match?.[2]
  if (digits === undefined || !underscoresSeparate(digits)) return undefined
  const plain = digits.replaceAll('_', '')
  // JavaScript writes old octal with 0o only.
  const value = BigInt(/^0[0-7]+$/.test(plain) ? `0o${plain.slice(1)}` : plain)
  return match?.[1] === '-' ? -value : value
}

/** `strconv.ParseFloat(text, 64)`: decimal and hexadecimal; undefined for bad syntax and for what is out of range. */
export function parseFloat64(text: string): number | undefined {
  const special = /^([+-]?)inf(inity)?$/i.exec(text)
  if (special) return special[1] === '-' ? -Infinity : Infinity
  if (/^nan$/i.test(text)) return Number.NaN
  if (text.includes('_') && !underscoresSeparate(text.replace(/^[+-]/, ''))) return undefined
  const plain = text.replaceAll('_', '')
  const value = /^[+-]?0[xX]/.test(plain) ? parseHexFloat(plain) : parseDecimal(plain)
  return value === undefined || Number.isFinite(value) ? value : undefined
}

/** Each underscore has a digit, or the prefix of a base, before it and a digit behind it. */
function underscoresSeparate(digits: string): boolean {
  const hexadecimal = /^0[xX]/.test(digits)
  const body = digits.replace(/^0[xXoObB]/, '0')
  const digit = hexadecimal ? '[0-9a-fA-F]' : '[0-9]'
  return !new RegExp(`(?<!${digit})_|_(?!${digit})`).test(body)
}

function parseDecimal(text: string): number | undefined {
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined
}

function parseHexFloat(text: string): number | undefined {
  const match = /^([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?\d+)$/.exec(text)
  if (!match) return undefined
  const [, sign = '', whole = '', fraction = '', exponent = ''] = match
  if (whole === '' && fraction === '') return undefined
  const value = scaled(BigInt(`0x0${whole}${fraction}`), Number(exponent) - 4 * fraction.length)
  return sign === '-' ? -value : value
}

/** `mantissa * 2**exponent`, rounded once, to even. */
function scaled(mantissa: bigint, exponent: number): number {
  if (mantissa === 0n) return 0
  const bits = mantissa.toString(2).length
  if (bits + exponent > 1025) return Infinity
  if (bits + exponent < -1075) return 0
  // Keep the bits a float64 has there (fewer below the normal range) and round the rest away.
  const kept = Math.min(53, bits + exponent + 1074)
  const drop = BigInt(Math.max(0, bits - Math.max(0, kept)))
  let top = mantissa >> drop
  const rest = mantissa - (top << drop)
  const half = drop === 0n ? 0n : 1n << (drop - 1n)
  if (drop > 0n && (rest > half || (rest === half && (top & 1n) === 1n))) top += 1n
  const shift = exponent + Number(drop)
  // Two steps, each exact: 2**shift alone may not be a float64.
  const step = Math.trunc(shift / 2)
  return Number(top) * 2 ** step * 2 ** (shift - step)
}
