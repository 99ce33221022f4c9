import { expect, test } from 'vitest'
import type { Clock } from '../../../src/base/clock.ts'
import { storeError } from '../../../src/store/errors.ts'
import { Requests } from '../../../src/store/requests.ts'

function fastClock(): Clock {
  let now = 0
  return {
    now: () => now,
    sleep: async (ms) => {
      now += ms
    },
  }
}

const slow = (): Error => storeError('STORE_THROTTLED', 'SlowDown')

function requests(clock: Clock): Requests {
  return new Requests({ where: 'bucket "b"', clock, translate: (error) => error, hasAnswer: () => true })
}

test.each([
  ['a request', false, 90_000],
  ['a part of something long', true, 300_000],
])('%s lives through minutes of SlowDown, and ends when they are over', async (_what, patient, leastMs) => {
  const clock = fastClock()
  const healed = async (): Promise<string> => {
    if (clock.now() < leastMs) throw slow()
    return 'done'
  }

  expect(await requests(clock).send('put', healed, { patient })).toBe('done')
  const start = clock.now()
  await expect(requests(clock).send('put', () => Promise.reject(slow()), { patient })).rejects.toMatchObject({
    code: 'STORE_THROTTLED',
  })
  expect(clock.now() - start).toBeLessThan(15 * 60_000)
})
