import { describe, expect, test } from 'vitest'
import { lintBlueprintText } from '../../../src/lint/lint.ts'

function findings(func: string, condition: string): string[] {
  const objectReference = { apiVersion: 'v1', resource: 'configmaps', name: 'a', namespace: 'n' }
  const args = { timeout: '10s', conditions: { anyOf: [{ condition, objectReference }] } }
  const phases = [{ func, name: 'wait', args }]
  const blueprint = {
    apiVersion: 'cr.kanister.io/v1alpha1',
    kind: 'Blueprint',
    metadata: { name: 'b' },
    actions: { go: { phases } },
  }
  return lintBlueprintText(JSON.stringify(blueprint))
    .filter(({ severity }) => severity === 'error')
    .map(({ message }) => message)
}

describe('a condition of Wait', () => {
  test('with its JSONPath in quotes is in order', () => {
    expect(findings('Wait', '{{ if eq "{ $.status.conditions[?(@.type==\'Ready\')].status }" "True" }}true{{ end }}')).toEqual(
      [],
    )
  })

  test.each(['{{ eq {$.a} "b" }}', '{{ eq "{ $.a[ }" "b" }}'])('%j, which the phase would refuse, is an error', (condition) => {
    expect(findings('Wait', condition)).toEqual([expect.stringContaining('JSONPath')])
  })
})

test('a condition of WaitV2 is a template over the object itself', () => {
  expect(findings('WaitV2', '{{ eq .status.phase "Bound" }}')).toEqual([])
  expect(findings('WaitV2', '{{ eq .status.phase')).toHaveLength(1)
})
