import { fc } from '../../build/properties.ts'
import { describe, expect, test } from 'vitest'
import { parseCron } from '../../../src/schedule/cron.ts'
import { nextSlot, slotsBetween } from '../../../src/schedule/slots.ts'
import { openZone } from '../../../src/schedule/zone.ts'

const utc = (text: string): number => Date.parse(`${text}Z`)

function slots(cron: string, zone: string, from: string, until: string): string[] {
  const timetable = { pattern: parseCron(cron, 'seed'), zone: openZone(zone) }
  return [...slotsBetween(timetable, utc(from), utc(until))].map((slot) => new Date(slot).toISOString().slice(0, 16))
}

describe('on an ordinary day', () => {
  test('a time of the wall is a moment of its zone', () => {
    expect(slots('0 2 * * *', 'Europe/Berlin', '2026-07-01T00:00', '2026-07-02T23:00')).toEqual(['2026-07-02T00:00'])
    expect(slots('0 2 * * *', '', '2026-07-01T00:00', '2026-07-03T00:00')).toEqual(['2026-07-01T02:00', '2026-07-02T02:00'])
  })

  test('a slot is not its own successor', () => {
    expect(slots('0 2 * * *', 'UTC', '2026-07-01T02:00', '2026-07-02T02:00')).toEqual(['2026-07-02T02:00'])
  })

  test('the last day of the month and the second Monday are known', () => {
    expect(slots('0 0 L * *', 'UTC', '2028-02-01T00:00', '2028-03-01T00:00')).toEqual(['2028-02-29T00:00'])
    expect(slots('0 0 * * MON#2', 'UTC', '2026-06-01T00:00', '2026-07-01T00:00')).toEqual(['2026-06-08T00:00'])
  })
})

describe('when the clock is set forward (Berlin, 29 March 2026, two to three)', () => {
  const day = ['2026-03-28T23:00', '2026-03-29T21:59'] as const

  test('a named time in the gap runs once, after it', () => {
    expect(slots('30 2 * * *', 'Europe/Berlin', ...day)).toEqual(['2026-03-29T01:30'])
  })

  test('two named times that fall on one moment run once', () => {
    expect(slots('30 2,3 * * *', 'Europe/Berlin', ...day)).toEqual(['2026-03-29T01:30'])
  })

  test('named times stay in order of time', () => {
    expect(slots('0,30 2,3 * * *', 'Europe/Berlin', ...day)).toEqual(['2026-03-29T01:00', '2026-03-29T01:30'])
  })

  test('every half hour is every half hour', () => {
    expect(slots('*/30 * * * *', 'Europe/Berlin', '2026-03-29T00:00', '2026-03-29T02:00')).toEqual([
      '2026-03-29T00:30',
      '2026-03-29T01:00',
      '2026-03-29T01:30',
      '2026-03-29T02:00',
    ])
  })
})

describe('when the clock is set back (Berlin, 25 October 2026, three to two)', () => {
  test('a named time that comes twice runs at the first', () => {
    expect(slots('30 2 * * *', 'Europe/Berlin', '2026-10-24T22:00', '2026-10-25T22:59')).toEqual(['2026-10-25T00:30'])
  })

  test('asked between the two, it is over', () => {
    expect(slots('30 2 * * *', 'Europe/Berlin', '2026-10-25T01:15', '2026-10-25T22:59')).toEqual([])
  })

  test('every half hour runs in both of the hours', () => {
    expect(slots('*/30 * * * *', 'Europe/Berlin', '2026-10-25T00:00', '2026-10-25T02:00')).toHaveLength(4)
  })
})

test('half an hour of change (Lord Howe) and a missing day (Apia, 2011) are as any other', () => {
  expect(slots('15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T13:00', '2026-10-04T12:59')).toEqual(['2026-10-03T15:45'])
  expect(slots('0 12 * * *', 'Pacific/Apia', '2011-12-29T10:00', '2011-12-31T21:00')).toEqual([
    '2011-12-29T22:00',
    '2011-12-30T22:00',
  ])
})

test('a year of days is a year of runs, whatever the zone and the time', () => {
  const zones = [
    'Europe/Berlin',
    'America/New_York',
    'America/Santiago',
    'Australia/Lord_Howe',
    'Asia/Kolkata',
    'Africa/Casablanca',
    'UTC',
  ]
  const anyTime = fc.record({
    zone: fc.constantFrom(...zones),
    minute: fc.integer({ min: 0, max: 59 }),
    hour: fc.integer({ min: 0, max: 23 }),
  })
  fc.assert(
    fc.property(anyTime, ({ zone, minute, hour }) => {
      const timetable = { pattern: parseCron(`${minute} ${hour} * * *`, ''), zone: openZone(zone) }
      const start = utc('2026-01-01T12:00')
      const all = [...slotsBetween(timetable, start, start + 365 * 86_400_000)]
      // Not 365 for sure: a zone may have another offset when the year ends (Casablanca in 2026), which moves its last slot out or one in.
      expect(all.length).toBeGreaterThanOrEqual(364)
      expect(all.length).toBeLessThanOrEqual(366)
      const days = all.map((slot) => Date.parse(new Date(slot).toLocaleDateString('sv-SE', { timeZone: zone })))
      expect(days.slice(1)).toEqual(days.slice(0, -1).map((day) => day + 86_400_000))
    }),
    // The one that was found.
    { numRuns: 12, examples: [[{ zone: 'Africa/Casablanca', minute: 1, hour: 12 }]] },
  )
})

test('what time passes between slots of every quarter of an hour is a quarter of an hour, all through a change', () => {
  for (const zone of ['Europe/Berlin', 'Australia/Sydney']) {
    const timetable = { pattern: parseCron('*/15 * * * *', ''), zone: openZone(zone) }
    for (const month of ['04', '10']) {
      let last = utc(`2026-${month}-${month === '04' ? '03' : '22'}T00:00`)
      for (const slot of slotsBetween(timetable, last, last + 4 * 86_400_000)) {
        expect(slot - last).toBe(15 * 60_000)
        last = slot
      }
    }
  }
})

test('text that is no cron is refused with the reason and the way out', () => {
  expect(() => parseCron('61 * * * *', '')).toThrow(/"61 \* \* \* \*".*minute: 61.*@daily-random/)
  expect(() => parseCron('0 0 30 2 *', '')).toThrow('no such day ever comes')
  expect(() => parseCron('* * * * * *', '')).toThrow('5 parts')
  expect(() => parseCron('', '')).toThrow('cannot be used')
  expect(() => openZone('Europe/Atlantis')).toThrow('"Europe/Atlantis" is not known')
})

test('nothing comes after the last of a schedule that ends', () => {
  const timetable = { pattern: parseCron('0 0 29 2 *', ''), zone: openZone('UTC') }
  expect(nextSlot(timetable, utc('2026-01-01T00:00'))).toBe(utc('2028-02-29T00:00'))
})
