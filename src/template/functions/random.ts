import type { TemplateHost } from './define.ts'

/** A number from 0 to `limit` - 1, each as likely as any other. `limit` is at most 65,536. */
export function randomBelow(host: TemplateHost, limit: number): number {
  // What lies above the last whole multiple would favour small numbers.
  const usable = 65_536 - (65_536 % limit)
  for (;;) {
    const [high = 0, low = 0] = host.randomBytes(2)
    const number = high * 256 + low
    if (number < usable) return number % limit
  }
}

/** `count` characters of an alphabet; none for a negative count. */
export function randomText(host: TemplateHost, count: bigint, alphabet: string): string {
  let out = ''
  for (let at = 0n; at < count; at++) out += alphabet[randomBelow(host, alphabet.length)]
  return out
}
