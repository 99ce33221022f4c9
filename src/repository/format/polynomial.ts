import { randomBytes } from 'node:crypto'

/** Polynomials over GF(2): bit i is the coefficient of x^i. The chunker's has degree 53. */
export type Polynomial = bigint

export const chunkerDegree = 53
const windowBytes = 64

export function degree(polynomial: Polynomial): number {
  return polynomial === 0n ? -1 : polynomial.toString(2).length - 1
}

export function remainder(value: Polynomial, divisor: Polynomial): Polynomial {
  const divisorDegree = degree(divisor)
  let rest = value
  for (let high = degree(rest); high >= divisorDegree; high = degree(rest)) rest ^= divisor << BigInt(high - divisorDegree)
  return rest
}

/** Ben-Or: f of degree n is irreducible if it shares no factor with x^(2^i) − x for i = 1 … n/2. */
export function isIrreducible(polynomial: Polynomial): boolean {
  let power = 2n
  for (let i = 1; i <= Math.floor(degree(polynomial) / 2); i++) {
    power = remainder(square(power), polynomial)
    if (greatestCommonDivisor(polynomial, power ^ 2n) !== 1n) return false
  }
  return true
}

export function randomPolynomial(): Polynomial {
  const top = 1n << BigInt(chunkerDegree)
  for (;;) {
    const candidate = (randomBytes(8).readBigUInt64LE() & (top - 1n)) | top | 1n
    if (isIrreducible(candidate)) return candidate
  }
}

/** What the rolling digest looks up. `mod[t]` reduces the byte shifted out at the top, `out2[o]` removes the byte that leaves the window. */
export interface ChunkerTables {
  readonly mod: BigUint64Array
  readonly out: BigUint64Array
  readonly out2: BigUint64Array
}

export function chunkerTables(polynomial: Polynomial): ChunkerTables {
  const mod = new BigUint64Array(256)
  const out = new BigUint64Array(256)
  const out2 = new BigUint64Array(256)
  fillLinear(mod, (bit) => remainder(bit << BigInt(chunkerDegree), polynomial) | (bit << BigInt(chunkerDegree)))
  fillLinear(out, (bit) => remainder(bit << BigInt(8 * (windowBytes - 1)), polynomial))
  // Shifted by one byte and reduced, so that the leaving byte and the shift cost one lookup together.
  for (const [byte, digest] of out.entries()) out2[byte] = (digest << 8n) ^ (mod[Number(digest >> 45n)] ?? 0n)
  return { mod, out, out2 }
}

/** Every backup begins with these tables; all entries follow from those of single bits, by addition. */
function fillLinear(table: BigUint64Array, ofBit: (bit: bigint) => bigint): void {
  for (let size = 1; size < table.length; size *= 2) {
    const one = ofBit(BigInt(size))
    for (let rest = 0; rest < size; rest++) table[size + rest] = one ^ (table[rest] ?? 0n)
  }
}

/** Squaring over GF(2) spreads the bits apart. */
function square(polynomial: Polynomial): Polynomial {
  return BigInt(`0b${polynomial.toString(2).split('').join('0')}`)
}

function greatestCommonDivisor(a: Polynomial, b: Polynomial): Polynomial {
  let [left, right] = [a, b]
  while (right !== 0n) [left, right] = [right, remainder(left, right)]
  return left
}
