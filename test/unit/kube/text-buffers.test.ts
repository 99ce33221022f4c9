import { fc } from '../../build/properties.ts'
import { expect, it } from 'vitest'
import { LineSplitter } from '../../../src/kube/lines.ts'
import { Tail } from '../../../src/kube/tail.ts'

const cutText = fc.tuple(fc.string({ unit: fc.constantFrom('a', 'é', '😀', '\n', ' ') }), fc.array(fc.nat(100)))

function cut(text: string, cuts: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text)
  const at = [...new Set(cuts.map((each) => each % (bytes.length + 1)))].toSorted((a, b) => a - b)
  return [0, ...at].map((from, i) => bytes.subarray(from, at[i] ?? bytes.length))
}

it('lines do not depend on how the bytes were cut', () => {
  fc.assert(
    fc.property(cutText, ([text, cuts]) => {
      const lines: string[] = []
      const splitter = new LineSplitter((line) => lines.push(line))
      for (const part of cut(text, cuts)) splitter.push(part)
      splitter.end()

      const expected = text.split('\n')
      if (expected.at(-1) === '') expected.pop()
      expect(lines).toEqual(expected)
    }),
  )
})

it('a line beyond the limit comes in pieces that say so', () => {
  const pieces: Array<[number, boolean]> = []
  const splitter = new LineSplitter((line, whole) => pieces.push([line.length, whole]), 10)

  splitter.push(Buffer.from('12345678901234'))
  splitter.push(Buffer.from('567\r\nab\n'))

  expect(pieces).toEqual([
    [14, false],
    [3, true],
    [2, true],
  ])
})

it('a tail is the end of what passed, and starts with a whole character', () => {
  fc.assert(
    fc.property(cutText, fc.integer({ min: 1, max: 20 }), ([text, cuts], limit) => {
      const tail = new Tail(limit)
      for (const part of cut(text, cuts)) tail.push(part)

      expect(tail.total).toBe(Buffer.byteLength(text))
      expect(text.endsWith(tail.text())).toBe(true)
      expect(Buffer.byteLength(tail.text())).toBeGreaterThan(Math.min(limit, tail.total) - 4)
    }),
  )
})
