import { fc } from '../../../build/properties.ts'
import { expect, test } from 'vitest'
import { byteLength, canonical, fromBytes, runes, toBytes } from '../../../../src/template/go/byte-string.ts'
import { durationText } from '../../../../src/template/go/duration-text.ts'
import { formatFloat } from '../../../../src/template/go/float-text.ts'
import { fromJson, parseExactJson } from '../../../../src/template/go/from-json.ts'
import { encodeJson } from '../../../../src/template/go/json-encode.ts'
import { parseFloat64 } from '../../../../src/template/go/parse-number.ts'
import { sprintf } from '../../../../src/template/go/print.ts'
import { quote, unquote } from '../../../../src/template/go/quote.ts'

const anyBytes = fc.uint8Array({ maxLength: 40 })

test('any bytes are a string and come back as they were', () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      const text = fromBytes(bytes)

      expect(Array.from(toBytes(text))).toEqual(Array.from(bytes))
      expect(byteLength(text)).toBe(bytes.length)
    }),
  )
})

test('strings cut and joined anywhere are the same after canonical', () => {
  fc.assert(
    fc.property(anyBytes, fc.nat(40), (bytes, at) => {
      const cut = Math.min(at, bytes.length)

      expect(canonical(fromBytes(bytes.subarray(0, cut)) + fromBytes(bytes.subarray(cut)))).toBe(fromBytes(bytes))
    }),
  )
})

test('runes go by characters, bytes outside of UTF-8 one by one', () => {
  const text = fromBytes(Uint8Array.of(0x61, 0xff, 0xe2, 0x82, 0xac, 0xe2))

  expect([...runes(text)]).toEqual([
    [0, 0x61],
    [1, 0xfffd],
    [2, 0x20ac],
    [5, 0xfffd],
  ])
})

test('a quoted text is unquoted to itself', () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      expect(unquote(quote(fromBytes(bytes)))).toBe(fromBytes(bytes))
    }),
  )
})

test('the shortest text of a float reads back as the same float, in each format', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom('e', 'f', 'g', 'x'), (value, format) => {
      const back = parseFloat64(formatFloat(value, format as 'e', -1, 64))

      expect(Object.is(back, value)).toBe(true)
    }),
  )
})

test('rounding goes to even, as Go does and toFixed does not', () => {
  expect(sprintf('%.0f %.0f %.0f %.1f', [0.5, 1.5, 2.5, 0.25])).toBe('0 2 2 0.2')
})

test('JSON of JSON is itself, keys sorted, big integers kept', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (data) => {
      const text = JSON.stringify(data)

      expect(JSON.parse(encodeJson(fromJson(parseExactJson(text))))).toEqual(JSON.parse(text, withoutNegativeZero))
    }),
  )
  expect(encodeJson(fromJson(parseExactJson('{"b":9007199254740993,"a":"<"}')))).toBe('{"a":"\\u003c","b":9007199254740993}')
})

/** Go's int64 has none. */
function withoutNegativeZero(_key: string, value: unknown): unknown {
  return Object.is(value, -0) ? 0 : value
}

test.each([
  [0n, '0s'],
  [1n, '1ns'],
  [1_100n, '1.1µs'],
  [2_200_000n, '2.2ms'],
  [3_300_000_000n, '3.3s'],
  [245_000_000_000n, '4m5s'],
  [18_367_001_000_000n, '5h6m7.001s'],
  [-3_600_000_000_000n, '-1h0m0s'],
])('a duration of %s ns is %s', (nanos, text) => {
  expect(durationText(nanos)).toBe(text)
})
