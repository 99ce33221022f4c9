import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openCalendar } from '../../../src/retention/calendar.ts'
import { decideRetention, type Backup } from '../../../src/retention/decide.ts'
import { parseWithin, type Period, type RetentionPolicy } from '../../../src/retention/policy.ts'

/** What the real `restic forget --dry-run` kept of the same times under the same policy; see the README beside it. */
interface Golden {
  readonly series: Readonly<Record<string, readonly string[]>>
  readonly cases: readonly { readonly series: string; readonly policy: string; readonly keep: readonly number[] }[]
}

const golden = JSON.parse(readFileSync(join(import.meta.dirname, '../../golden/retention/forget.json'), 'utf8')) as Golden

test.each(golden.cases)('$series, $policy: what restic keeps', ({ series, policy, keep }) => {
  const backups = (golden.series[series] ?? []).map((time, index): Backup => ({
    id: `${index}`,
    time: Date.parse(time),
    isGood: true,
  }))

  const verdicts = decideRetention(policyOf(policy), backups, openCalendar('UTC'))

  const kept = verdicts.filter((verdict) => verdict.keep).map(({ backup }) => Number(backup.id))
  expect(kept.toSorted((a, b) => a - b)).toEqual(keep)
  expect(verdicts.every(({ reasons }) => reasons.length > 0)).toBe(true)
})

function policyOf(flags: string): RetentionPolicy {
  const words = flags.split(' ')
  const per: Partial<Record<Period, number>> = {}
  const perWithin: Partial<Record<Period, NonNullable<ReturnType<typeof parseWithin>>>> = {}
  let rest: RetentionPolicy = {}
  for (let at = 0; at < words.length; at += 2) {
    const [flag = '', value = ''] = words.slice(at)
    const within = parseWithin(value)
    if (flag === '--keep-last') rest = { ...rest, last: Number(value) }
    else if (flag === '--keep-within' && within) rest = { ...rest, within }
    else if (flag.startsWith('--keep-within-') && within) perWithin[flag.slice('--keep-within-'.length) as Period] = within
    else per[flag.slice('--keep-'.length) as Period] = Number(value)
  }
  return { ...rest, per, perWithin }
}
