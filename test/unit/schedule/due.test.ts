import { fc } from '../../build/properties.ts'
import { describe, expect, test } from 'vitest'
import { parseCron } from '../../../src/schedule/cron.ts'
import { decideDue, type DueQuestion } from '../../../src/schedule/due.ts'
import { slotName } from '../../../src/schedule/slot-name.ts'
import { spreadDelay } from '../../../src/schedule/spread.ts'
import { openZone } from '../../../src/schedule/zone.ts'

const hour = 3_600_000
const start = Date.parse('2026-05-01T00:00Z')

function ask(change: Partial<DueQuestion>): ReturnType<typeof decideDue> {
  return decideDue({
    pattern: parseCron('0 * * * *', ''),
    zone: openZone('UTC'),
    now: start,
    handled: start,
    delayMs: 0,
    startingDeadlineMs: Infinity,
    missedRuns: 'Once',
    concurrency: 'Forbid',
    isRunning: false,
    ...change,
  })
}

describe('a slot', () => {
  test('is not due before its time, and the answer says when to ask again', () => {
    expect(ask({ now: start + hour - 1 })).toEqual({ handled: start, next: start + hour })
  })

  test('is due at its time', () => {
    expect(ask({ now: start + hour })).toEqual({ run: start + hour, handled: start + hour, next: start + 2 * hour })
  })

  test('is due later for an object with a delay', () => {
    expect(ask({ now: start + hour, delayMs: 60_000 })).toEqual({ handled: start, next: start + hour + 60_000 })
    expect(ask({ now: start + hour + 60_000, delayMs: 60_000 }).run).toBe(start + hour)
  })

  test('is never asked for twice, also when the clock is set back', () => {
    expect(ask({ now: start - 5 * hour, handled: start + hour })).toEqual({ handled: start + hour, next: start + 2 * hour })
  })

  test('is not kept away for long by a clock that was days ahead for a while', () => {
    expect(ask({ handled: start + 48 * hour })).toEqual({ handled: start, next: start + hour })
  })
})

describe('an engine that was away', () => {
  test('over 380 slots runs the latest alone, and says what became of the others', () => {
    const answer = ask({ now: start + 380 * hour + 1 })
    expect(answer.run).toBe(start + 380 * hour)
    expect(answer.skipped).toEqual({ count: 379, last: start + 379 * hour, why: expect.stringContaining('was not there') })
  })

  test('runs nothing when missed runs are to be skipped', () => {
    const answer = ask({ now: start + 3.5 * hour, missedRuns: 'Skip' })
    expect(answer.run).toBeUndefined()
    expect(answer.skipped).toEqual({ count: 3, last: start + 3 * hour, why: expect.stringContaining('30 min late') })
    expect(answer.handled).toBe(start + 3 * hour)
  })

  test('runs nothing past the starting deadline', () => {
    expect(ask({ now: start + 1.5 * hour, startingDeadlineMs: 600_000 })).toMatchObject({
      skipped: { count: 1, why: expect.stringContaining('starting deadline') },
    })
    expect(ask({ now: start + hour + 600_000, startingDeadlineMs: 600_000 }).run).toBe(start + hour)
  })

  test('for months over a schedule of minutes goes through few of them, and runs the latest', () => {
    const answer = ask({ pattern: parseCron('* * * * *', ''), now: start + 3_000 * hour + 1 })
    expect(answer).toMatchObject({ run: start + 3_000 * hour, handled: start + 3_000 * hour })
    expect(answer.skipped?.count).toBe(1_000)
  })
})

describe('a run that has not ended', () => {
  const now = start + hour
  test('keeps the next from starting (Forbid)', () => {
    expect(ask({ now, isRunning: true })).toMatchObject({ handled: now, skipped: { why: 'the run before it has not ended' } })
  })
  test('does not (Allow), or is replaced (Replace)', () => {
    expect(ask({ now, isRunning: true, concurrency: 'Allow' })).toMatchObject({ run: now })
    expect(ask({ now, isRunning: true, concurrency: 'Allow' }).replace).toBeUndefined()
    expect(ask({ now, isRunning: true, concurrency: 'Replace' })).toMatchObject({ run: now, replace: true })
  })
})

test('a schedule on hold passes its slots over with the reason, and does not make up for them later', () => {
  const held = ask({ now: start + 3 * hour, hold: 'the schedule is suspended' })
  expect(held).toMatchObject({ handled: start + 3 * hour, skipped: { count: 3, why: 'the schedule is suspended' } })
  expect(ask({ now: start + 3 * hour + 1, handled: held.handled })).toMatchObject({ next: start + 4 * hour })
})

test('whatever happens, each slot is settled exactly once and in order', () => {
  const steps = fc.array(
    fc.record({ advance: fc.integer({ min: -2 * hour, max: 9 * hour }), running: fc.boolean(), held: fc.boolean() }),
    { minLength: 1, maxLength: 40 },
  )
  fc.assert(
    fc.property(steps, fc.constantFrom('Forbid' as const, 'Allow' as const), (all, concurrency) => {
      let [now, handled, settled] = [start, start, 0]
      for (const { advance, running, held } of all) {
        // Further back than a day it begins anew.
        now = Math.max(now + advance, handled - 23 * hour)
        const answer = ask({ now, handled, concurrency, isRunning: running, ...(held ? { hold: 'held' } : {}) })
        expect(answer.handled).toBeGreaterThanOrEqual(handled)
        settled += (answer.run === undefined ? 0 : 1) + (answer.skipped?.count ?? 0)
        handled = answer.handled
        expect(settled).toBe((handled - start) / hour)
      }
    }),
    { numRuns: 200 },
  )
})

describe('five hundred schedules of the same minute', () => {
  const names = Array.from({ length: 500 }, (_, index) => `shop/StatefulSet/db-${index}`)

  test('are spread evenly over the hour they are given', () => {
    const perSixMinutes = Array.from({ length: 10 }, () => 0)
    for (const name of names) {
      const at = Math.floor(spreadDelay(name, hour) / (hour / 10))
      perSixMinutes[at] = (perSixMinutes[at] ?? 0) + 1
    }
    const chiSquare = perSixMinutes.reduce((sum, count) => sum + (count - 50) ** 2 / 50, 0)
    // 27.9 is passed by one in a thousand even spreads of 9 degrees of freedom.
    expect(chiSquare).toBeLessThan(27.9)
  })

  test('of @daily-random are spread over the day, and keep their minute', () => {
    const texts = names.map((name) => parseCron('@daily-random', name).text)
    expect(new Set(texts.map((text) => text.split(' ')[1])).size).toBe(24)
    expect(names.map((name) => parseCron('@daily-random', name).text)).toEqual(texts)
    expect(parseCron('@daily-random', 'shop/StatefulSet/db-0').text).toBe(texts[0])
  })

  test('have names of their own', () => {
    expect(new Set(names.map((name) => slotName('nightly', name, start))).size).toBe(500)
  })
})

test('a name says schedule and time, and is short enough for a label', () => {
  expect(slotName('nightly', 'shop/StatefulSet/db', Date.parse('2026-11-21T02:00Z'))).toMatch(
    /^nightly-[0-9a-f]{8}-20261121t020000z$/,
  )
  const long = slotName('a.'.repeat(120), 'x', start)
  expect(long).toHaveLength(63)
  expect(long).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
})
