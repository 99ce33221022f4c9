/** Nanoseconds of each unit that a duration may be written in. */
const unitNanos: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
}

/** The largest duration of Go: about 292 years, in nanoseconds. */
export const maxDuration = (1n << 63n) - 1n

/** `time.ParseDuration`: `1.5h30s`, `-3ms`, `0`; undefined for what is none or does not fit into 63 bits. */
export function parseDuration(text: string): bigint | undefined {
  const sign = /^[-+]/.exec(text)?.[0] ?? ''
  const body = text.slice(sign.length)
  if (body === '0') return 0n
  if (body === '') return undefined
  let total = 0n
  let rest = body
  while (rest !== '') {
    const match = /^(\d*)(?:\.(\d*))?([^\d.]+)/.exec(rest)
    const unit = unitNanos[match?.[3] ?? '']
    const [all = '', whole = '', fraction = ''] = match ?? []
    if (unit === undefined || whole + fraction === '') return undefined
    total += BigInt(whole || '0') * unit + fractionNanos(fraction, unit)
    if (total > maxDuration + 1n) return undefined
    rest = rest.slice(all.length)
  }
  if (sign === '-') return -total
  return total > maxDuration ? undefined : total
}

/** Go multiplies the fraction in floating point and drops what is below a nanosecond. */
function fractionNanos(digits: string, unit: bigint): bigint {
  let value = 0n
  let scale = 1
  for (const digit of digits) {
    // Further digits cannot matter any more.
    if (value > maxDuration / 10n) break
    const next = value * 10n + BigInt(digit)
    if (next > maxDuration) break
    value = next
    scale *= 10
  }
  return BigInt(Math.trunc(Number(value) * (Number(unit) / scale)))
}

/** `Duration.String()`: `1h1m1s`, `1.5ms`, `0s`. */
export function formatDuration(nanos: bigint): string {
  if (nanos === 0n) return '0s'
  const sign = nanos < 0n ? '-' : ''
  const size = nanos < 0n ? -nanos : nanos
  if (size < 1000n) return `${sign}${size}ns`
  if (size < 1_000_000n) return `${sign}${decimal(size, 1000n)}µs`
  if (size < 1_000_000_000n) return `${sign}${decimal(size, 1_000_000n)}ms`
  const minutes = size / 60_000_000_000n
  const seconds = `${decimal(size % 60_000_000_000n, 1_000_000_000n)}s`
  if (minutes === 0n) return sign + seconds
  const hours = minutes / 60n
  return hours === 0n ? `${sign}${minutes}m${seconds}` : `${sign}${hours}h${minutes % 60n}m${seconds}`
}

/** `Duration.Round(unit)`: to the nearest multiple, halves away from zero, never beyond the largest duration. */
export function roundDuration(nanos: bigint, unit: bigint): bigint {
  if (unit <= 0n) return nanos
  const rest = nanos % unit
  const down = nanos - rest
  const size = rest < 0n ? -rest : rest
  if (size + size < unit) return down
  return clampDuration(rest < 0n ? down - unit : down + unit)
}

export function clampDuration(nanos: bigint): bigint {
  if (nanos > maxDuration) return maxDuration
  return nanos < -maxDuration - 1n ? -maxDuration - 1n : nanos
}

function decimal(value: bigint, unit: bigint): string {
  const fraction = (value % unit)
    .toString()
    .padStart(unit.toString().length - 1, '0')
    .replace(/0+$/, '')
  return fraction === '' ? `${value / unit}` : `${value / unit}.${fraction}`
}
