import { describe, expect, test } from 'vitest'
import { flag, freeObject, integer, list, map, object, oneOf, optional, text, withDefault } from '../../../src/schema/build.ts'
import { decodeWeak } from '../../../src/schema/weak.ts'

const args = object({
  container: optional(text('Container.')),
  replicas: optional(integer('Replicas.', { minimum: 0 })),
  failOnError: optional(flag('Fail.')),
  command: optional(list(text('Word.'), 'Command.')),
  labels: optional(map(text('Value.'), 'Labels.')),
  override: optional(freeObject('Fragment.')),
  kind: optional(oneOf(['Deployment', 'StatefulSet'], 'Kind.')),
  reference: optional(object({ apiVersion: optional(text('Version.')) })),
})

function decoded(value: unknown): unknown {
  const { value: result, findings } = decodeWeak(args, value)
  return findings.length > 0 ? findings.map((finding) => `${finding.at} ${finding.message}`) : result
}

describe('weak decoding of arguments', () => {
  test.each([
    ['a number as text', { container: 5 }, { container: '5' }],
    ['a fraction as text', { container: 1.5 }, { container: '1.5' }],
    ['true as text', { container: true }, { container: '1' }],
    ['digits as a number', { replicas: '3' }, { replicas: 3 }],
    ['an empty text as zero', { replicas: '' }, { replicas: 0 }],
    ['a fraction cut to a number', { replicas: 2.7 }, { replicas: 2 }],
    ['T as true', { failOnError: 'T' }, { failOnError: true }],
    ['an empty text as false', { failOnError: '' }, { failOnError: false }],
    ['a lone text as a list', { command: 'echo hi' }, { command: ['echo hi'] }],
    ['an empty text as a list of one', { command: '' }, { command: [''] }],
    ['a mixed list as texts', { command: ['a', 5, true, 1.5] }, { command: ['a', '5', '1', '1.5'] }],
    ['an empty map as an empty list', { command: {} }, { command: [] }],
    ['a list of maps as one map', { labels: [{ a: 'b' }, { c: 4 }] }, { labels: { a: 'b', c: '4' } }],
    ['a word without case', { kind: 'statefulset' }, { kind: 'StatefulSet' }],
    ['field names below the top without case', { reference: { APIVersion: 'v1' } }, { reference: { apiVersion: 'v1' } }],
    ['null as absent', { container: null, override: { a: null } }, { override: { a: null } }],
  ])('takes %s', (_name, given, wanted) => {
    expect(decoded(given)).toEqual(wanted)
  })

  test.each([
    ['a list where text is wanted', { container: ['a'] }, ['container must be text, got a list']],
    ['a word that is no boolean', { failOnError: 'yes' }, ['failOnError must be true or false, got a text']],
    ['a fraction in text', { replicas: '1.0' }, ['replicas must be a whole number, got a text']],
    ['a number below the minimum', { replicas: -1 }, ['replicas must be at least 0']],
    ['a text where a map is wanted', { override: '{}' }, ['override must be a map, got a text']],
    [
      'two faults at once',
      { container: [], kind: 'Pod' },
      ['container must be text, got a list', 'kind must be one of Deployment, StatefulSet, got a text'],
    ],
  ])('refuses %s', (_name, given, wanted) => {
    expect(decoded(given)).toEqual(wanted)
  })

  test('fills in defaults and names what is missing', () => {
    const schema = object({ pod: text('Pod.'), wait: withDefault(flag('Wait.'), true) })

    expect(decodeWeak(schema, { pod: 'p' }).value).toEqual({ pod: 'p', wait: true })
    expect(decodeWeak(schema, {}).findings).toEqual([{ at: 'pod', message: 'is required' }])
  })
})
