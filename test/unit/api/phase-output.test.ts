import { describe, expect, test } from 'vitest'
import { readOutputLine, renderPhaseOutput } from '../../../src/api/phase-output.ts'

describe('output markers', () => {
  test('what is rendered is read back', () => {
    const output = { key: 'path', value: 'a <b> & "c" \u2028 ü' }

    const line = renderPhaseOutput(output)

    expect(line).toBe('###Phase-output###: {"key":"path","value":"a \\u003cb\\u003e \\u0026 \\"c\\" \\u2028 ü"}')
    expect(readOutputLine(line)).toEqual({ text: '', output })
  })

  test.each([
    ['plain line', 'plain line', undefined],
    ['done ###Phase-output###:{"key":"k","value":"v"}', 'done ', { key: 'k', value: 'v' }],
    ['###Phase-output###: {"key":"k","value":"v"}\r', '', { key: 'k', value: 'v' }],
    ['###Phase-output###:   ', '', undefined],
    ['###Phase-output###: null', '', { key: '', value: '' }],
    ['###Phase-output###: {"value":"v","more":1}', '', { key: '', value: 'v' }],
  ])('%j is read as Kanister reads it', (line, text, output) => {
    expect(readOutputLine(line)).toEqual({ text, output })
  })

  test.each([
    '###Phase-output###: {"key":"k","value":5}',
    '###Phase-output###: {"key":"k","value":{}}',
    '###Phase-output###: ["k"]',
    '###Phase-output###: {"key":"k","value":"v"} trailing',
    '###Phase-output###: {"key":"k","value":"v"} ###Phase-output###: {"key":"l","value":"w"}',
    '###Phase-output###: {"key":"k","value":"secret',
  ])('%j fails without quoting a value', (line) => {
    expect(() => readOutputLine(line)).toThrow(/output|JSON/)
    expect(() => readOutputLine(line)).not.toThrow(/secret/)
  })

  test('a value of 300,000 bytes is one output', () => {
    const value = 'x'.repeat(300_000)

    expect(readOutputLine(renderPhaseOutput({ key: 'k', value })).output?.value).toBe(value)
  })
})
