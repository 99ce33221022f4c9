import { describe, expect, test } from 'vitest'
import { parseGoDuration, renderGoDuration } from '../../../src/base/go-duration.ts'

describe('a duration of Go', () => {
  test.each([
    ['90s', 90_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['250ms', 250],
    ['0', 0],
  ])('%s is read', (text, ms) => {
    expect(parseGoDuration(text)).toBe(ms)
  })

  test.each(['', 'soon', '5', '-1s', '1h 30m', '1d', '9'.repeat(40) + 'h'])('"%s" is none', (text) => {
    expect(parseGoDuration(text)).toBeUndefined()
  })

  test('is written in units that people read', () => {
    expect([0, 50, 90_000, 5_400_000, 7_200_000].map(renderGoDuration)).toEqual(['0s', '50ms', '1m30s', '1h30m', '2h'])
  })
})
