import { expect, it } from 'vitest'
import { StatusPace } from '../../../src/controllers/actionset/status-pace.ts'

let now = 0
const clock = { now: () => now, sleep: () => Promise.resolve() }

it('the first few write at once, the others take turns in the order they came', () => {
  const pace = new StatusPace(clock, 5)
  const asked = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((key) => pace.waitMs(key))

  expect(asked.slice(0, 5)).toEqual([0, 0, 0, 0, 0])
  expect(asked.slice(5)).toEqual([200, 400, 600])

  now += 200
  expect(pace.waitMs('h')).toBeGreaterThan(0)
  expect(pace.waitMs('f')).toBe(0)
})

it('one that needs no turn any more makes room for those behind it', () => {
  const pace = new StatusPace(clock, 1)
  for (const key of ['a', 'b', 'c']) pace.waitMs(key)
  pace.leave('b')
  now += 1_000

  expect(pace.waitMs('c')).toBe(0)
})

it('without a limit nothing waits', () => {
  const pace = new StatusPace(clock, Number.POSITIVE_INFINITY)

  expect([1, 2, 3].map((key) => pace.waitMs(String(key)))).toEqual([0, 0, 0])
})

it('a server that is slow gets fewer, but never none', () => {
  const pace = new StatusPace(clock, 1)
  pace.waitMs('a')
  pace.took(150)
  now += 1_000
  expect(pace.waitMs('b')).toBe(500)

  pace.took(60_000)
  expect(pace.waitMs('b')).toBe(1_000)
})
