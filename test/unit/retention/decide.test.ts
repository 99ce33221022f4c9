import { fc } from '../../build/properties.ts'
import { describe, expect, test } from 'vitest'
import { openCalendar } from '../../../src/retention/calendar.ts'
import { decideRetention, type Backup } from '../../../src/retention/decide.ts'
import { parseWithin, type RetentionPolicy } from '../../../src/retention/policy.ts'

const day = 86_400_000
const start = Date.parse('2026-03-01T02:00Z')

function backups(count: number, change: (index: number) => Partial<Backup> = () => ({})): Backup[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `b${index}`,
    time: start + index * day,
    isGood: true,
    ...change(index),
  }))
}

function kept(policy: RetentionPolicy, all: readonly Backup[], zone = 'UTC'): string[] {
  return decideRetention(policy, all, openCalendar(zone)).flatMap(({ backup, keep }) => (keep ? [backup.id] : []))
}

test('without a policy everything stays', () => {
  expect(kept({}, backups(3))).toEqual(['b2', 'b1', 'b0'])
  expect(kept({ last: 0, per: { daily: 0 } }, backups(3))).toHaveLength(3)
})

test('a time that reaches farther back than dates go keeps everything', () => {
  const within = parseWithin('999999999y')
  expect(kept({ ...(within ? { within } : {}) }, backups(3))).toHaveLength(3)
})

test('a verdict names each rule that keeps a backup', () => {
  const [newest, older] = decideRetention({ last: 1, per: { daily: 2, yearly: 1 } }, backups(5), openCalendar('UTC'))
  expect(newest?.reasons).toEqual(['last', 'daily', 'yearly'])
  expect(older?.reasons).toEqual(['daily'])
})

describe('failed backups', () => {
  test('do not count', () => {
    const all = backups(10, (index) => ({ isGood: index < 3 }))
    expect(kept({ last: 2 }, all).filter((id) => id < 'b3')).toEqual(['b2', 'b1'])
  })

  test('for sixty days remove nothing good', () => {
    const all = [...backups(3), ...backups(63, () => ({ isGood: false })).slice(3)]
    expect(kept({ last: 3 }, all)).toEqual(expect.arrayContaining(['b0', 'b1', 'b2']))
  })

  test('stay while nothing good is newer, so that somebody sees them, and then go', () => {
    expect(
      kept(
        { last: 1 },
        backups(3, (index) => ({ isGood: index === 0 })),
      ),
    ).toEqual(['b2', 'b1', 'b0'])
    expect(
      kept(
        { last: 1 },
        backups(4, (index) => ({ isGood: index % 3 === 0 })),
      ),
    ).toEqual(['b3'])
  })
})

test('the last good backup stays under every policy', () => {
  const [verdict] = decideRetention(
    { per: { hourly: 0 }, within: { years: 0, months: 0, days: 0, hours: 0 } },
    backups(1),
    openCalendar('UTC'),
  )
  expect(verdict).toMatchObject({ keep: true, reasons: ['the last good backup'] })
})

test('a pinned backup stays, with the reason', () => {
  const all = backups(5, (index) => (index === 1 ? { pinned: 'audit 2026' } : {}))
  expect(kept({ last: 1 }, all)).toEqual(['b4', 'b1'])
  expect(decideRetention({ last: 1 }, all, openCalendar('UTC'))[3]?.reasons).toEqual(['pinned: audit 2026'])
})

test('a day is a day of the zone', () => {
  const all: Backup[] = ['2026-05-01T21:30Z', '2026-05-01T22:30Z'].map((time) => ({
    id: time,
    time: Date.parse(time),
    isGood: true,
  }))
  expect(kept({ per: { daily: 5 } }, all)).toHaveLength(1)
  expect(kept({ per: { daily: 5 } }, all, 'Europe/Berlin')).toHaveLength(2)
  expect(() => openCalendar('Europe/Atlantis')).toThrow(RangeError)
})

test('times are read as restic writes them', () => {
  expect(parseWithin('1y5m7d2h')).toEqual({ years: 1, months: 5, days: 7, hours: 2 })
  expect(parseWithin('30d')).toEqual({ years: 0, months: 0, days: 30, hours: 0 })
  for (const text of ['', '3', '3w', '1d2d', '-1d', '1.5d']) expect(parseWithin(text)).toBeUndefined()
})

test('whatever the backups and the policy: each has a verdict, the newest good one stays, and more backups never remove a pinned one', () => {
  const anyBackups = fc.array(
    fc.record({ hours: fc.integer({ min: 0, max: 9_000 }), isGood: fc.boolean(), isPinned: fc.boolean() }),
    {
      maxLength: 40,
    },
  )
  const count = fc.integer({ min: 0, max: 5 })
  fc.assert(
    fc.property(anyBackups, count, count, count, (list, last, daily, monthly) => {
      const all = list.map(({ hours, isGood, isPinned }, index): Backup => {
        const plain = { id: `b${index}`, time: start + hours * 3_600_000, isGood }
        return isPinned ? { ...plain, pinned: 'held' } : plain
      })
      const verdicts = decideRetention({ last, per: { daily, monthly } }, all, openCalendar('UTC'))
      expect(verdicts.map(({ backup }) => backup.id).toSorted()).toEqual(all.map(({ id }) => id).toSorted())
      const newestGood = verdicts.find(({ backup }) => backup.isGood)
      expect(newestGood?.keep ?? true).toBe(true)
      for (const { backup, keep, reasons } of verdicts) {
        expect(reasons.length).toBeGreaterThan(0)
        if (backup.pinned !== undefined) expect(keep).toBe(true)
      }
    }),
    { numRuns: 200 },
  )
})
