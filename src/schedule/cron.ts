import { Cron } from 'croner'
import { messageOf } from '../base/errors.ts'
import { scheduleError } from './errors.ts'
import { stableHash } from './stable-hash.ts'

/** Times of the clock on the wall, without a zone. */
export interface CronPattern {
  /** Five fields, as they are used: nicknames and spread ones resolved. */
  readonly text: string
  /**
   * True if the hour field begins with an asterisk: such a pattern means "every so often" and follows the time that passes; one that
   * names hours means the clock on the wall. They differ on the two days of the year on which the clock is changed.
   */
  readonly everyHour: boolean
  /** The text is a spread one, so that the pattern differs from seed to seed. */
  readonly isSpread: boolean
  /** The first wall time after `wallMs`, both as if the zone were UTC; undefined when there is none within some years. */
  next(wallMs: number): number | undefined
}

const nicknames: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
}

/**
 * Reads five fields of cron, a nickname such as `@daily`, or a spread one: `@hourly-random`, `@daily-random`, `@weekly-random`,
 * `@monthly-random`, `@yearly-random`. A spread one takes its minute, hour and day from `seed`, so that it is always the same for
 * the same object and differs between objects. Days of the month go to 28, which every month has.
 */
export function parseCron(text: string, seed: string): CronPattern {
  const trimmed = text.trim()
  const spread = spreadFields(trimmed, seed)
  const fields = spread ?? nicknames[trimmed] ?? trimmed
  let cron: Cron
  try {
    cron = new Cron(fields, { timezone: 'UTC', paused: true, mode: '5-part' })
  } catch (error) {
    const why = messageOf(error).replace(/^CronPattern: /, '')
    throw badCron(text, why, error)
  }
  const pattern: CronPattern = {
    text: fields,
    isSpread: spread !== undefined,
    everyHour: (fields.split(/\s+/)[1] ?? '').startsWith('*'),
    next: (wallMs) => cron.nextRun(new Date(wallMs))?.getTime(),
  }
  // February 30 is well formed and never comes.
  if (pattern.next(Date.UTC(2024, 0, 1)) === undefined) throw badCron(text, 'no such day ever comes')
  return pattern
}

function spreadFields(text: string, seed: string): string | undefined {
  const pick = (part: string, below: number): number => stableHash([seed, part], below)
  const minute = pick('minute', 60)
  const hour = pick('hour', 24)
  switch (text) {
    case '@hourly-random':
      return `${minute} * * * *`
    case '@daily-random':
      return `${minute} ${hour} * * *`
    case '@weekly-random':
      return `${minute} ${hour} * * ${pick('weekday', 7)}`
    case '@monthly-random':
      return `${minute} ${hour} ${pick('day', 28) + 1} * *`
    case '@yearly-random':
    case '@annually-random':
      return `${minute} ${hour} ${pick('day', 28) + 1} ${pick('month', 12) + 1} *`
    default:
      return undefined
  }
}

function badCron(text: string, why: string, cause?: unknown): unknown {
  const message = `the cron text "${text}" cannot be used: ${why}; it takes five fields (minute hour day month weekday), @daily or @daily-random`
  return scheduleError('SCHEDULE_BAD_CRON', message, { cause })
}
