const units = [
  ['h', 3_600_000_000_000n],
  ['m', 60_000_000_000n],
] as const

/** `d.String()` of nanoseconds: `1h1m1s`, `1.5s`, `2µs`, `0s`. */
export function durationText(nanos: bigint): string {
  if (nanos === 0n) return '0s'
  const sign = nanos < 0n ? '-' : ''
  const size = nanos < 0n ? -nanos : nanos
  if (size < 1_000n) return `${sign}${size}ns`
  if (size < 1_000_000n) return `${sign}${decimal(size, 3)}µs`
  if (size < 1_000_000_000n) return `${sign}${decimal(size, 6)}ms`
  let rest = size
  let text = sign
  for (const [name, unit] of units) {
    // Once there are hours there are minutes, even none.
    if (rest >= unit || text.length > sign.length) text += `${rest / unit}${name}`
    rest %= unit
  }
  return `${text}${decimal(rest, 9)}s`
}

/** A count with a decimal point put in, without zeros behind it. */
function decimal(count: bigint, places: number): string {
  const digits = count.toString().padStart(places + 1, '0')
  const fraction = digits.slice(-places).replace(/0+$/, '')
  return `${digits.slice(0, -places)}${fraction === '' ? '' : `.${fraction}`}`
}
