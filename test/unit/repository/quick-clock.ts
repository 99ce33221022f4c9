import { type Clock, systemClock } from '../../../src/base/clock.ts'

/** The real time, without the short wait after a lock was written: stores of one process show everything at once. */
export const quickClock: Clock = {
  now: () => systemClock.now(),
  sleep: (ms, signal) => (ms <= 1000 ? Promise.resolve() : systemClock.sleep(ms, signal)),
}
