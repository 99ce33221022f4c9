import { describe, expect, test } from 'vitest'
import { goJson } from '../../../src/base/go-json.ts'

describe('JSON as Go prints it', () => {
  test.each([
    ['angle brackets and ampersands', { a: '<b>&' }, '{"a":"\\u003cb\\u003e\\u0026"}'],
    ['line separators', '\u2028\u2029', '"\\u2028\\u2029"'],
    ['a lone surrogate', '\ud800', '"\ufffd"'],
    ['keys in the order given', { b: 1, a: [] }, '{"b":1,"a":[]}'],
    ['absent fields left out', { a: undefined, b: null }, '{"b":null}'],
    ['integers beyond 2^53', { id: 18446744073709551615n }, '{"id":18446744073709551615}'],
  ])('%s', (_name, value, wanted) => {
    expect(goJson(value)).toBe(wanted)
  })

  test('keys of a map sorted by their bytes, digits too', () => {
    expect(goJson({ b: 1, '10': 2, '9': 3, é: 4, z: 5 }, { sortKeys: true })).toBe('{"10":2,"9":3,"b":1,"z":5,"é":4}')
  })
})
