import { expect, test } from 'vitest'
import type { Blueprint, BlueprintAction } from '../../../src/api/blueprint.ts'
import { applyPolicies } from '../../../src/engine/annotated-policies.ts'

const backup: BlueprintAction = {
  phases: [{ name: 'dump', timeout: '1m' }, { name: 'copy' }],
  deferPhase: { name: 'unlock' },
}

function applied(annotation: object | string): ReturnType<typeof applyPolicies> {
  const text = typeof annotation === 'string' ? annotation : JSON.stringify(annotation)
  const blueprint = { metadata: { annotations: { 'holdfast.dev/phase-policies': text } }, actions: { backup } }
  return applyPolicies(blueprint as unknown as Blueprint, 'backup', backup)
}

test('the annotation gives what fields do not say, to the action, its phases and the deferred one', () => {
  const retry = { limit: 2, on: ['Timeout'] }

  expect(
    applied({
      backup: { timeout: '2h' },
      'backup/dump': { timeout: '30m', retry },
      'backup/copy': { resume: 'refuse' },
      'backup/unlock': { timeout: '5m' },
      'restore/load': { timeout: '3m' },
    }),
  ).toEqual({
    faults: [],
    action: {
      timeout: '2h',
      phases: [
        { name: 'dump', timeout: '1m', retry },
        { name: 'copy', resume: 'refuse' },
      ],
      deferPhase: { name: 'unlock', timeout: '5m' },
    },
  })
})

test('a wrong one is a fault, and nothing of it counts', () => {
  expect(applied('dump=30m')).toEqual({ action: backup, faults: [expect.stringContaining('is no JSON')] })
  expect(applied({ backup: { timeout: '2h' }, 'backup/copy': { timeout: 'soon' } })).toEqual({
    action: backup,
    faults: [expect.stringContaining('backup/copy: timeout "soon" is no duration')],
  })
  expect(applied({ 'backup/dmup': { timeout: '3m' } }).faults).toEqual([expect.stringContaining('backup/dmup')])
})
