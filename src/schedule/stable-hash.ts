import { createHash } from 'node:crypto'

/** A number from 0 to `below` - 1, the same for the same words for ever, and spread evenly over different ones. */
export function stableHash(words: readonly string[], below: number): number {
  const digest = createHash('sha256').update(words.join('\0')).digest()
  return Number(digest.readBigUInt64BE(0) % BigInt(below))
}
