/** Nanoseconds since 1970 in UTC: file times need them, and a double cannot hold them. */
export type Nanos = bigint

const second = 1_000_000_000n
/** Go refuses to print years outside 0 to 9999. */
const earliest = -62_167_219_200n * second
const latest = BigInt(Date.UTC(9999, 11, 31, 23, 59, 59)) * 1_000_000n

export function nanosFromMs(ms: number): Nanos {
  return BigInt(Math.round(ms)) * 1_000_000n
}

/** RFC 3339 in UTC as Go prints it: up to nine digits of fraction, zeros at its end cut (`…05.12Z`, never `…05.120Z`). */
export function renderTime(nanos: Nanos): string {
  const bounded = nanos < earliest ? earliest : nanos > latest ? latest : nanos
  // Both parts are exact as doubles.
  const rest = Number(bounded % second)
  const seconds = Number(bounded / second) - (rest < 0 ? 1 : 0)
  const fraction = rest < 0 ? rest + 1e9 : rest
  const whole = new Date(seconds * 1000).toISOString().slice(0, 19)
  return fraction === 0
    ? `${whole}Z`
    : `${whole}.${String(fraction + 1e9)
        .slice(1)
        .replace(/0+$/, '')}Z`
}

/** Undefined for text that is no RFC 3339 time. */
export function parseTime(text: string): Nanos | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/.exec(text)
  if (!match) return undefined
  const [, whole, fraction = '', zone] = match
  const ms = Date.parse(`${whole}${zone}`)
  return Number.isNaN(ms) ? undefined : BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'))
}
