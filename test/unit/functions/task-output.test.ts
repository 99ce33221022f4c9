import { describe, expect, test } from 'vitest'
import { secretValuesOf } from '../../../src/functions/secret-values.ts'
import { TaskOutput } from '../../../src/functions/task-output.ts'
import { silentLogger, type LogFields } from '../../../src/telemetry/logger.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const secrets = secretValuesOf({ Phases: { dump: { Secrets: { db: { data: { password: base64('correct horse') } } } } } })

function read(lines: readonly string[], markers = true): TaskOutput {
  const output = new TaskOutput({ log: silentLogger, secrets, markers })
  for (const line of lines) output.take(line)
  return output
}

describe('what a task prints', () => {
  test('the last value of a key counts; keys need not be words', () => {
    const output = read([
      '###Phase-output###: {"key":"a b","value":"1"}',
      'text ###Phase-output###:{"key":"a b","value":"2"}',
      '###Phase-output###: null',
    ])

    expect(output.outputs()).toEqual({ 'a b': '2', '': '' })
    expect(output.tail).toBe('text')
  })

  test('outputs may hold secrets, lines of the log may not', () => {
    const output = read(['the correct horse', '###Phase-output###: {"key":"a","value":"correct horse"}'])

    expect(output.outputs()).toEqual({ a: 'correct horse' })
    expect(output.tail).toBe('the <redacted>')
  })

  test('a secret of several lines is masked in each of them', () => {
    const key = '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSjAgEAAoIB\n-----END PRIVATE KEY-----\n'
    const ofKey = secretValuesOf({ Secrets: { tls: { data: { 'tls.key': base64(key) } } } })
    const output = new TaskOutput({ log: silentLogger, secrets: ofKey, markers: false })

    for (const line of ['+ cat tls.key', ...key.split('\n')]) output.take(line)

    expect(output.tail).toBe(
      ['+ cat tls.key', '-----BEGIN PRIVATE KEY-----', '<redacted>', '<redacted>', '-----END PRIVATE KEY-----'].join('\n'),
    )
  })

  test('the tail is ten lines that are not blank, however long they are', () => {
    const output = read([...Array.from({ length: 20 }, (_, i) => `line ${i}`), '', '  ', 'x'.repeat(1_000_000)])

    const tail = output.tail.split('\n')
    expect(tail).toHaveLength(10)
    expect(tail[0]).toBe('line 11')
    expect(output.tail.length).toBeLessThan(3_000)
  })

  test('the log gets the first 4 MiB of a command that does not stop talking, its outputs and tail are whole', () => {
    const logged: unknown[] = []
    const log = { ...silentLogger, info: (fields: LogFields) => void logged.push(fields.Out) }
    const output = new TaskOutput({ log, secrets, markers: true })
    for (let i = 0; i < 20_000; i++) output.take(`${i} ${'x'.repeat(1_000)}`)
    output.take('###Phase-output###: {"key":"a","value":"found"}')

    expect(JSON.stringify(logged).length).toBeLessThan(5_000_000)
    expect(logged.at(-1)).toMatch(/more lines so far, \d+ characters, are not logged/)
    expect(output.outputs()).toEqual({ a: 'found' })
    expect(output.tail).toContain('19999 x')
  })

  test('outputs beyond what a Run can keep are a failure that names the key', () => {
    const value = 'x'.repeat(300_000)
    const output = read(['a', 'b'].map((key) => `###Phase-output###: ${JSON.stringify({ key, value })}`))

    expect(output.broken).toBe(true)
    expect(() => output.outputs()).toThrow(/output "b" makes the outputs larger/)
  })

  test('without markers they are text', () => {
    const output = read(['###Phase-output###: {"key":"a","value":5}'], false)

    expect(output.outputs()).toBeUndefined()
    expect(output.tail).toContain('###Phase-output###')
  })
})
