import { type Polynomial, degree, remainder } from '../../../src/repository/format/polynomial.ts'

/** The chunker as FORMAT.md defines it, without rolling, tables or lanes: a digest anew for every position. Slow. */
export function plainCuts(input: Uint8Array, polynomial: Polynomial, minBytes: number, maxBytes: number): number[] {
  const cuts: number[] = []
  for (let start = 0; start < input.length;) {
    let length = minBytes
    while (start + length < input.length && length < maxBytes && !isCut(input, start + length, polynomial)) length++
    length = Math.min(length, input.length - start)
    cuts.push(length)
    start += length
  }
  return cuts
}

export function isCut(input: Uint8Array, at: number, polynomial: Polynomial): boolean {
  return (digestBefore(input, at, polynomial) & 0xfffffn) === 0n
}

export function digestBefore(input: Uint8Array, at: number, polynomial: Polynomial): bigint {
  if (degree(polynomial) !== 53) throw new Error('degree')
  let value = 0n
  for (let i = at - 64; i < at; i++) value = (value << 8n) | BigInt(input[i] ?? 0)
  return remainder(value, polynomial)
}
