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
