import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { compress, createCompressor, decompress } from '../../../src/repository/format/zstd.ts'

const MiB = 1 << 20
const text = Buffer.from(Array.from({ length: 120_000 }, (_, i) => `row ${(i * 7919) % 10_007}\tvalue ${i}\n`).join(''))

test('a compressor that is used again and again makes the frames of the one that is not', () => {
  const again = createCompressor(2 * MiB)
  const inputs = [text, randomBytes(MiB), Buffer.of(7), Buffer.alloc(2 * MiB), text.subarray(5, 305), Buffer.alloc(0), text]

  for (const input of inputs) {
    const frame = Buffer.from(again(input))

    expect(frame.equals(compress(input))).toBe(true)
    expect(decompress(frame, input.length, 'a frame').equals(input)).toBe(true)
  }
})

test('what is longer than the compressor was made for is compressed all the same', () => {
  const again = createCompressor(1000)

  expect(Buffer.from(again(text)).equals(compress(text))).toBe(true)
  expect(Buffer.from(again(text.subarray(0, 1000))).equals(compress(text.subarray(0, 1000)))).toBe(true)
})

test('it keeps no memory of its own from one to the next: the result is overwritten', () => {
  const again = createCompressor(MiB)

  const first = again(text.subarray(0, 5000))
  const second = again(text.subarray(5000, 10_000))

  expect(first.buffer).toBe(second.buffer)
})
