import { createCipheriv } from 'node:crypto'
import type { Polynomial } from '../../../src/repository/format/polynomial.ts'

/** One for all runs. With a fresh one each run would cut the same bytes elsewhere, and two streams share a chunk only by chance. */
export const samePolynomial: Polynomial = 0x3da3358b4dc173n

/** Gives bytes that do not compress, other ones at each call and the same ones at each run. */
export function createNoise(): (length: number) => Buffer {
  const keystream = createCipheriv('aes-256-ctr', Buffer.alloc(32, 7), Buffer.alloc(16))
  return (length) => keystream.update(Buffer.alloc(length))
}
