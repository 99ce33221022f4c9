import { describe, expect, test } from 'vitest'
import { lintBlueprintText } from '../../../src/lint/lint.ts'

interface Written {
  readonly annotation?: string
  readonly action?: string
  readonly phase?: string
  readonly deferred?: string
}

function found({ annotation, action = '', phase = '', deferred = '' }: Written): string[] {
  const args = 'args: { timeout: 1m, conditions: { anyOf: [] } }'
  const annotations = annotation === undefined ? '' : `, annotations: { holdfast.dev/phase-policies: '${annotation}' }`
  const text = [
    'apiVersion: cr.kanister.io/v1alpha1',
    'kind: Blueprint',
    `metadata: { name: sample${annotations} }`,
    'actions:',
    '  backup:',
    '    kind: StatefulSet',
    ...(action === '' ? [] : [`    ${action}`]),
    '    phases:',
    `      - { func: Wait, name: dump, ${phase} ${args} }`,
    `    deferPhase: { func: Wait, name: unlock, ${deferred} ${args} }`,
  ].join('\n')
  return lintBlueprintText(text).flatMap(({ code, line, where, message }) =>
    code === 'LINT_FIELD' ? [`${line} ${where}: ${message}`] : [],
  )
}

describe('timeout, retry and resume', () => {
  test('are fields of a phase and of a deferred phase; an action has the first two', () => {
    const all = 'timeout: 30m, retry: { limit: 3, backoff: 1m30s, "on": [Error, Timeout, Interrupted] }, resume: restart,'

    expect(found({ phase: all, deferred: all, action: 'timeout: 2h' })).toEqual([])
    expect(found({ action: 'retry: { limit: 0 }' })).toEqual([])
    expect(found({ action: 'resume: refuse' })).toEqual([expect.stringMatching(/^7 .*has no field "resume"/)])
  })

  test.each([
    ['timeout: soon,', /phases\[0\]\.timeout: timeout "soon" is no duration; write it as 90s, 30m or 1h30m/],
    ['timeout: 0s,', /timeout "0s" is no duration/],
    ['timeout: 90,', /timeout must be text: write it in quotes, "90"/],
    ['retry: { limit: "3" },', /retry\.limit must be a whole number/],
    ['retry: { limit: 1, backoff: often },', /retry\.backoff "often" is no duration/],
    ['retry: { limit: 1, on: [Error] },', /takes the key on for true; write it in quotes, "on"/],
    ['retry: { limit: 1, "on": [Crash] },', /retry\.on\[0\] must be Error or Timeout or Interrupted/],
    ['retry: { limit: 1, times: 3 },', /retry has no field "times"/],
    ['resume: continue,', /resume must be restart or refuse/],
    ['timout: 3m,', /has no field "timout"; did you mean timeout\?/],
  ])('%s is found', (phase, message) => {
    expect(found({ phase })).toEqual([expect.stringMatching(message)])
    expect(found({ deferred: phase })).toHaveLength(1)
  })
})

describe('the annotation that stands for them', () => {
  test('names actions and phases, the deferred one too', () => {
    const annotation =
      '{"backup":{"timeout":"2h"},"backup/dump":{"retry":{"limit":2,"on":["Timeout"]},"resume":"refuse"},"backup/unlock":{"timeout":"1m"}}'

    expect(found({ annotation })).toEqual([])
  })

  test.each([
    ['timeout=3m', /is no JSON/],
    ['[]', /object/],
    ['{"backup/dump":{"timeout":"soon"}}', /backup\/dump: timeout "soon" is no duration/],
    ['{"backup/dump":{"retry":{"limit":-1}}}', /limit/],
    ['{"backup/dump":{"timout":"3m"}}', /there is no field "timout"/],
    ['{"backup":{"resume":"refuse"}}', /resume is for phases/],
    ['{"backup/dmup":{"timeout":"3m"}}', /"backup\/dmup" is no action or phase of this Blueprint/],
  ])('%s is found', (annotation, message) => {
    expect(found({ annotation })).toEqual([expect.stringMatching(message)])
    expect(found({ annotation })[0]).toMatch(/^3 .*annotation holdfast.dev\/phase-policies/)
  })
})
