import { describe, expect, test } from 'vitest'
import type { ActionSet } from '../../../../src/api/actionset.ts'
import type { Retention, Schedule } from '../../../../src/api/schedule.ts'
import {
  decideRemovals,
  mostRemovalsAtOnce,
  policyOf,
  removalActionSet,
  removalName,
  retentionStatus,
  type CataloguedBackup,
} from '../../../../src/controllers/retention/decide.ts'

const day = 86_400_000
const now = Date.parse('2026-06-01T00:00:00Z')
const uid = '0b1c2d3e-0000-4000-8000-00000000000'

function schedule(retention: Retention): Schedule {
  return {
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'Schedule',
    metadata: { name: 'nightly', namespace: 'holdfast', uid: 'u', resourceVersion: '1' },
    spec: { cron: '@daily', retention },
  }
}

function backups(count: number, objectKey = 'shop/statefulset/db'): CataloguedBackup[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `${uid}${index}-0`,
    time: now - index * day,
    isGood: true,
    objectKey,
    recordKey: `records/${objectKey}/${index}`,
    installation: 'mine',
  }))
}

function removal(
  id: string,
  state: string,
  change: { readonly attempt?: number; readonly ageMs?: number } = {},
): [string, ActionSet] {
  const { attempt = 1, ageMs = 0 } = change
  const actionSet = {
    metadata: {
      annotations: { 'holdfast.dev/backup': id, 'holdfast.dev/attempt': String(attempt) },
      creationTimestamp: new Date(now - ageMs).toISOString(),
    },
    status: { state, error: { message: 'access denied' } },
  }
  return [id, actionSet as unknown as ActionSet]
}

const decide = (
  retention: Retention,
  all: readonly CataloguedBackup[],
  removals: readonly [string, ActionSet][] = [],
): ReturnType<typeof decideRemovals> =>
  decideRemovals({ schedule: schedule(retention), backups: all, removals: new Map(removals), now })

test('what no rule keeps goes, oldest first, each object by itself', () => {
  const { removals, verdicts } = decide({ keepLast: 2 }, [...backups(4), ...backups(2, 'shop/statefulset/other')])
  expect(removals.map(({ kind, backup }) => `${kind} ${backup.recordKey}`)).toEqual([
    'start records/shop/statefulset/db/3',
    'start records/shop/statefulset/db/2',
  ])
  expect(verdicts).toHaveLength(6)
})

test('without rules nothing goes', () => {
  expect(decide({}, backups(400)).removals).toEqual([])
})

describe('a removal', () => {
  const [, old] = backups(2) as [CataloguedBackup, CataloguedBackup]

  test('is waited for while its action goes on', () => {
    expect(decide({ keepLast: 1 }, backups(2), [removal(old.id, 'running')]).removals).toMatchObject([{ kind: 'wait' }])
  })

  test('is finished when its action succeeded', () => {
    expect(decide({ keepLast: 1 }, backups(2), [removal(old.id, 'complete')]).removals).toMatchObject([{ kind: 'finish' }])
  })

  test('that failed is tried again later and later, and never forgotten', () => {
    const step = (attempt: number, ageMs: number): unknown =>
      decide({ keepLast: 1 }, backups(2), [removal(old.id, 'failed', { attempt, ageMs })]).removals[0]
    expect(step(1, 4 * 60_000)).toMatchObject({ kind: 'wait', message: expect.stringContaining('access denied') })
    expect(step(1, 6 * 60_000)).toMatchObject({ kind: 'start', attempt: 2 })
    expect(step(3, 6 * 60_000)).toMatchObject({ kind: 'wait', message: expect.stringContaining('failed 3 times') })
    expect(step(40, 7 * 3_600_000)).toMatchObject({ kind: 'start', attempt: 41 })
  })

  test('that has begun is finished although the policy keeps the backup now', () => {
    expect(decide({ keepLast: 5 }, backups(2), [removal(old.id, 'complete')]).removals).toMatchObject([{ kind: 'finish' }])
  })

  test('waits its turn when many others go on', () => {
    const all = backups(60)
    expect(decide({ keepLast: 1 }, all).removals).toHaveLength(mostRemovalsAtOnce)
    const busy = all.slice(-mostRemovalsAtOnce).map(({ id }) => removal(id, 'running'))
    expect(decide({ keepLast: 1 }, all, busy).removals.filter(({ kind }) => kind === 'start')).toEqual([])
  })
})

test('a pinned backup stays and the reason is said', () => {
  const all = backups(3).map((backup, index) => (index === 2 ? { ...backup, pinned: 'audit' } : backup))
  const { verdicts, removals } = decide({ keepLast: 1 }, all)
  expect(removals.map(({ backup }) => backup.recordKey)).toEqual(['records/shop/statefulset/db/1'])
  expect(verdicts.find(({ backup }) => backup.pinned)?.reasons).toEqual(['pinned: audit'])
})

test('the words of a Schedule are restic’s', () => {
  expect(policyOf({ keepLast: 3, keepDaily: 7, keepYearly: -1, keepWithin: '1m', keepWithinWeekly: '2y' })).toEqual({
    last: 3,
    per: { daily: 7, yearly: -1 },
    within: { years: 0, months: 1, days: 0, hours: 0 },
    perWithin: { weekly: { years: 2, months: 0, days: 0, hours: 0 } },
  })
  expect(() => policyOf({ keepWithin: '3 weeks' })).toThrow('"3 weeks" is not a time')
})

test('the ActionSet of a removal runs the delete action with what the backup left', () => {
  const [backup] = backups(1) as [CataloguedBackup]
  const source = {
    request: { name: 'backup', object: { kind: 'StatefulSet', name: 'db', namespace: 'shop' }, options: { level: '9' } },
    artifacts: { dump: { keyValue: { path: 'x' } } },
    blueprint: 'postgres',
  }
  const made = removalActionSet(schedule({ deleteAction: 'purge' }), { kind: 'start', backup, attempt: 2, why: 'x' }, source)
  expect(made).toMatchObject({
    metadata: {
      name: 'nightly-gone-0b1c2d3e00004000-0-2',
      labels: { 'holdfast.dev/retention': 'nightly' },
      annotations: { 'holdfast.dev/backup': backup.id, 'holdfast.dev/attempt': '2', 'holdfast.dev/ttl-after-finished': '24h' },
    },
    spec: {
      actions: [
        { name: 'purge', blueprint: 'postgres', artifacts: source.artifacts, object: { name: 'db' }, options: { level: '9' } },
      ],
    },
  })
  expect(removalName('s'.repeat(80), backup.id, 12)).toHaveLength(63)
})

test('status says what stays, what goes, and what keeps it from going', () => {
  const all = backups(4)
  const decision = decide({ keepLast: 1 }, all, [removal(all[3]?.id ?? '', 'failed'), removal(all[2]?.id ?? '', 'complete')])
  expect(
    retentionStatus({ kept: 0, removing: 0, removed: 5, failing: 0, message: '', freedBytes: 7 }, decision, {
      removed: 1,
      problems: [],
      repositories: [],
      freedBytes: 3,
    }),
  ).toEqual({
    freedBytes: 10,
    repositories: [],
    kept: 1,
    removing: 2,
    removed: 6,
    failing: 1,
    message: expect.stringContaining('access denied'),
  })
})
