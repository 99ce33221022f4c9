import { describe, expect, test } from 'vitest'
import { lintBlueprintText } from '../../../src/lint/lint.ts'

function found(annotation: string, phase: string, deferred = ''): string[] {
  const text = [
    'apiVersion: cr.kanister.io/v1alpha1',
    'kind: Blueprint',
    `metadata: { name: sample, annotations: { holdfast.dev/suspend: "${annotation}" } }`,
    'actions:',
    '  restore:',
    '    kind: StatefulSet',
    '    phases:',
    `      - { func: Wait, name: overwrite, ${phase} args: { timeout: 1m, conditions: { anyOf: [] } } }`,
    ...(deferred === ''
      ? []
      : [`    deferPhase: { func: Wait, name: unlock, ${deferred} args: { timeout: 1m, conditions: { anyOf: [] } } }`]),
  ].join('\n')
  return lintBlueprintText(text).flatMap(({ code, line, message }) =>
    code === 'LINT_SUSPEND' || code === 'LINT_FIELD' ? [`${code} ${line}: ${message}`] : [],
  )
}

describe('a phase that waits for approval', () => {
  test('is said by its field or by the annotation', () => {
    expect(found('', 'suspend: true,')).toEqual([])
    expect(found('restore/overwrite', '')).toEqual([])
  })

  test('is said by true or false only', () => {
    expect(found('', 'suspend: "yes",')).toEqual([expect.stringContaining('LINT_FIELD 8')])
  })

  test('is no deferred one, and one that exists', () => {
    expect(found('', '', 'suspend: true,')).toEqual([expect.stringMatching(/LINT_SUSPEND 9: a deferred phase cannot wait/)])
    expect(found('restore/overwite', '')).toEqual([expect.stringMatching(/LINT_SUSPEND 3: .* names "restore\/overwite"/)])
  })
})
