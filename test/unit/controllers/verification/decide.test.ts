import { describe, expect, test } from 'vitest'
import type { ActionSet } from '../../../../src/api/actionset.ts'
import type { Run } from '../../../../src/api/run.ts'
import type { VerificationSpec, VerificationStatus } from '../../../../src/api/verification.ts'
import { compare } from '../../../../src/controllers/verification/compare.ts'
import { decide, type Question } from '../../../../src/controllers/verification/decide.ts'
import { again, begun, ended, finished, isRestored, started } from '../../../../src/controllers/verification/progress.ts'
import { judge } from '../../../../src/controllers/verification/steps.ts'

const now = Date.parse('2026-06-10T12:00:00Z')
const record = 'holdfast/records/shop/statefulset-db/20260610T000000Z-u1-0.json'
const spec: VerificationSpec = {
  profile: { name: 'p', namespace: 'holdfast' },
  record,
  object: { kind: 'StatefulSet', name: 'db', namespace: 'shop' },
  check: {},
  restore: {},
  verify: {},
}

function ask(status: VerificationStatus | undefined, more: Partial<Question> = {}, change: Partial<VerificationSpec> = {}) {
  const verification = { spec: { ...spec, ...change }, ...(status ? { status } : {}) }
  return decide({ verification, actionSet: undefined, ahead: 0, atOnce: 1, isNewest: true, now, ...more })
}

const running = begun({ spec }, now)
const good = { state: 'complete' } as const
const looked = finished(started(running, 'catalog', now), 'catalog', good, now)
const waiting = started(looked, 'check', now, { actionSet: 'x-check-1' })
const actionSet = (state: string, more: object = {}): ActionSet =>
  ({ metadata: { name: 'x-check-1' }, status: { state, ...more } }) as unknown as ActionSet

describe('what is next', () => {
  test('one that has its turn begins; one that has not waits', () => {
    expect(ask(undefined)).toEqual({ kind: 'begin' })
    expect(ask(undefined, { ahead: 1 })).toEqual({ kind: 'rest' })
    expect(ask(undefined, { ahead: 1, atOnce: 2 })).toEqual({ kind: 'begin' })
  })

  test('a duration that is none is refused by name', () => {
    expect(ask(undefined, {}, { restore: { timeout: '1 hour' } })).toEqual({
      kind: 'refuse',
      message: 'spec.restore.timeout "1 hour" is not a duration such as 30m or 1h30m',
    })
  })

  test('steps come in their order, and those that nobody asked for do not', () => {
    expect(ask(running)).toEqual({ kind: 'step', name: 'catalog' })
    expect(ask(looked)).toEqual({ kind: 'step', name: 'check' })
    const short = begun({ spec: { profile: spec.profile, record, verify: {} } }, now)
    const over = finished(started(short, 'catalog', now), 'catalog', good, now)
    expect(ask(over)).toEqual({ kind: 'end' })
    expect(over.steps?.map(({ state }) => state)).toEqual(['complete', 'skipped', 'skipped', 'skipped', 'skipped'])
  })

  test('a step that runs waits for its ActionSet, up to its time', () => {
    expect(ask(waiting, { actionSet: actionSet('running') })).toEqual({ kind: 'rest', afterMs: 3_600_000 })
    expect(ask(waiting, { actionSet: actionSet('complete') })).toMatchObject({ kind: 'judge', name: 'check' })
    expect(ask(waiting, { actionSet: actionSet('running'), now: now + 3_600_000 })).toMatchObject({
      kind: 'settle',
      outcome: { state: 'failed', message: expect.stringContaining('did not end in time') },
    })
    expect(ask(waiting)).toMatchObject({
      kind: 'settle',
      outcome: { message: 'ActionSet x-check-1 was removed before it ended' },
    })
  })

  test('one that was interrupted begins anew, three times at most; cleaning up goes on', () => {
    const lost = started(looked, 'restore', now, { namespace: 'holdfast-verify-1' })
    expect(ask(lost)).toEqual({ kind: 'again' })
    expect(ask({ ...lost, attempt: 3 })).toMatchObject({
      kind: 'settle',
      name: 'restore',
      outcome: { state: 'failed', message: expect.stringContaining('interrupted 3 times') },
    })
    expect(ask({ ...started(looked, 'clean', now), attempt: 3 })).toEqual({ kind: 'step', name: 'clean' })
    expect(again(lost, spec, now).steps?.map(({ state }) => state)).toEqual([
      'complete',
      'pending',
      'pending',
      'pending',
      'pending',
    ])
  })

  test('after a failure only cleaning up comes, and the first failure is the one that is told', () => {
    const failed = finished(waiting, 'check', { state: 'failed', message: 'pack x is damaged', disproved: true }, now)
    const stuck = finished(started(failed, 'clean', now), 'clean', { state: 'failed', message: 'stuck' }, now)

    expect(ask(failed)).toEqual({ kind: 'step', name: 'clean' })
    expect(ended(stuck, now)).toMatchObject({ state: 'failed', disproved: true, message: 'check: pack x is damaged' })
  })

  test('a namespace that stays says nothing against the backup', () => {
    const restored = ['check', 'restore', 'verify'].reduce(
      (status, name) => finished(started(status, name as 'check', now), name as 'check', good, now),
      looked,
    )
    const stuck = finished(started(restored, 'clean', now), 'clean', { state: 'failed', message: 'stuck' }, now)

    expect(isRestored(stuck)).toBe(true)
    expect(ended(stuck, now)).toMatchObject({ state: 'failed', message: 'clean: stuck' })
  })

  test('an old one goes when its time is over, but the newest of its object stays', () => {
    const status: VerificationStatus = { state: 'complete', endedAt: '2026-05-11T12:00:00Z' }
    expect(ask(status, { isNewest: false })).toEqual({ kind: 'remove' })
    expect(ask(status)).toEqual({ kind: 'rest' })
    expect(ask({ ...status, endedAt: '2026-06-10T11:00:00Z' }, { isNewest: false }, { ttl: '2h' })).toEqual({
      kind: 'rest',
      afterMs: 3_600_000,
    })
  })
})

describe('figures', () => {
  const artifacts = (keyValue: Record<string, string>) => ({ content: { keyValue } })

  test('that are equal are shown', () => {
    expect(compare(artifacts({ rows: '5' }), artifacts({ rows: '5' }))).toEqual({
      state: 'complete',
      compared: { 'content.rows': { recorded: '5', found: '5' } },
    })
  })

  test('that differ disprove the backup, with both values', () => {
    expect(compare(artifacts({ rows: '5', digest: 'a' }), artifacts({ rows: '4', digest: 'a' }))).toMatchObject({
      state: 'failed',
      disproved: true,
      message: expect.stringContaining('content.rows was 5 at the backup and is 4 after the restore'),
      compared: { 'content.rows': { recorded: '5', found: '4' }, 'content.digest': { recorded: 'a', found: 'a' } },
    })
  })

  test('that are secret are compared and not shown; long ones are cut', () => {
    const outcome = compare(
      artifacts({ password: 'a', text: 'x'.repeat(1000) }),
      artifacts({ password: 'b', text: 'x'.repeat(1000) }),
    )

    expect(outcome.compared?.['content.password']).toEqual({ recorded: '***', found: '***' })
    expect(outcome.compared?.['content.text']?.found).toHaveLength(219)
  })

  test('that the backup does not have are said not to be compared', () => {
    expect(compare({}, artifacts({ rows: '5' }))).toMatchObject({
      state: 'complete',
      message: expect.stringContaining('nothing was compared'),
    })
  })
})

describe('what workers found', () => {
  const checked = (output: object): ActionSet =>
    ({
      metadata: { name: 'x' },
      spec: { actions: [{ options: { repository: 'b/r' } }] },
      status: { state: 'complete', actions: [{ phases: [{ output }] }] },
    }) as unknown as ActionSet

  test.each([
    [
      { reason: 'ok', readBytes: '7', packs: '1' },
      { state: 'complete', message: '7 bytes read, 1 packs known' },
    ],
    [
      { reason: 'damaged', findings: 'pack 1: bad\npack 2: bad' },
      { state: 'failed', disproved: true, message: 'repository b/r is damaged: pack 1: bad; pack 2: bad' },
    ],
    [{ reason: 'absent' }, { state: 'failed', disproved: true, message: 'repository b/r is gone' }],
    [{ reason: 'denied' }, { state: 'failed', disproved: false, message: 'repository b/r could not be read: denied' }],
  ])('%j', (output, outcome) => {
    expect(judge('check', checked(output))).toEqual(outcome)
  })

  test('a restore that failed disproves the backup, one that was cancelled does not', () => {
    const error = { message: 'pg_restore: error' }
    expect(judge('restore', actionSet('failed', { reason: 'Failed', error }))).toMatchObject({ disproved: true, ...error })
    expect(judge('restore', actionSet('failed', { reason: 'Cancelled', error }))).toMatchObject({ disproved: false })
  })

  test.each([
    ['KUBE_EXEC_FAILED', true],
    ['REPOSITORY_DAMAGED', true],
    ['FUNCTION_STREAM_DIFFERS', true],
    ['KUBE_FORBIDDEN', false],
    ['STORE_UNREACHABLE', false],
    ['FUNCTION_POD_NOT_READY', false],
    ['RUN_TIMEOUT', false],
  ])('a restore that failed with %s disproves the backup: %s', (code, disproved) => {
    const phases = [{ name: 'load', state: 'failed', error: { message: 'x', code } }]
    const run = { status: { actions: { '0': { phases } } } } as unknown as Run
    const failed = actionSet('failed', { reason: 'Failed', error: { message: 'x' } })
    expect(judge('restore', failed, run)).toMatchObject({ state: 'failed', disproved })
  })
})
