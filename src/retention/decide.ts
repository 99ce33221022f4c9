import type { Calendar } from './calendar.ts'
import { isEmptyPolicy, periods, type Period, type RetentionPolicy, type Within } from './policy.ts'

/** A backup of one object, as far as retention asks. */
export interface Backup {
  readonly id: string
  /** When it began, epoch ms. */
  readonly time: number
  /** It ended well: data and artifacts are there. Failed ones take nobody's place. */
  readonly isGood: boolean
  /** Why it must stay whatever the policy says (a legal hold). */
  readonly pinned?: string
}

export interface Verdict<Of extends Backup = Backup> {
  readonly backup: Of
  readonly keep: boolean
  /** For people, each on its own: why it is kept, or why it goes. Never empty. */
  readonly reasons: readonly string[]
}

/**
 * What of one object's backups is kept, newest first, with the reasons. The rules are restic's (`restic forget`), tested against it,
 * and three more: what failed does not count and goes once something good is newer; what is pinned stays; and the newest good one stays
 * whatever the policy says, so that no policy and no row of failures leaves an application without a backup.
 */
export function decideRetention<Of extends Backup>(
  policy: RetentionPolicy,
  backups: readonly Of[],
  calendar: Calendar,
): Verdict<Of>[] {
  const newestFirst = backups.toSorted((a, b) => b.time - a.time || (a.id < b.id ? 1 : -1))
  if (isEmptyPolicy(policy)) return newestFirst.map((backup) => ({ backup, keep: true, reasons: ['no policy'] }))
  const good = newestFirst.filter((backup) => backup.isGood)
  const kept = reasonsOf(policy, good, calendar)
  const newestGood = good[0]
  return newestFirst.map((backup) => {
    const reasons = [...(kept.get(backup.id) ?? []), ...(backup.pinned === undefined ? [] : [`pinned: ${backup.pinned}`])]
    if (reasons.length > 0) return { backup, keep: true, reasons }
    if (backup === newestGood) return { backup, keep: true, reasons: ['the last good backup'] }
    if (backup.isGood) return { backup, keep: false, reasons: ['no rule keeps it'] }
    if (!newestGood || backup.time > newestGood.time) return { backup, keep: true, reasons: ['failed; nothing good is newer'] }
    return { backup, keep: false, reasons: ['failed'] }
  })
}

/** One rule: the newest of each period is kept, so many times, or since some moment. */
interface Rule {
  readonly reason: string
  readonly count: number
  readonly since: number
  periodOf(backup: Backup): string
}

function reasonsOf(policy: RetentionPolicy, newestFirst: readonly Backup[], calendar: Calendar): Map<string, string[]> {
  const kept = new Map<string, string[]>()
  const keep = (backup: Backup, reason: string): void => void kept.set(backup.id, [...(kept.get(backup.id) ?? []), reason])
  for (const rule of rulesOf(policy, newestFirst, calendar)) {
    let left = rule.count
    let lastPeriod: string | undefined
    for (const backup of newestFirst) {
      if (left === 0 || backup.time <= rule.since) break
      const period = rule.periodOf(backup)
      if (period === lastPeriod) continue
      keep(backup, rule.reason)
      lastPeriod = period
      left -= 1
    }
  }
  return kept
}

function rulesOf(policy: RetentionPolicy, newestFirst: readonly Backup[], calendar: Calendar): Rule[] {
  const { last = 0, per = {}, within, perWithin = {} } = policy
  const newest = newestFirst[0]
  if (!newest) return []
  const since = (time: Within): number => calendar.before(newest.time, time)
  const of = (period: Period) => (backup: Backup) => calendar.periodOf(period, backup.time)
  const each = (backup: Backup): string => backup.id
  return [
    { reason: 'last', count: last, since: -Infinity, periodOf: each },
    ...periods.map((period) => ({ reason: period, count: per[period] ?? 0, since: -Infinity, periodOf: of(period) })),
    ...(within ? [{ reason: 'within', count: -1, since: since(within), periodOf: each }] : []),
    ...periods.flatMap((period) => {
      const time = perWithin[period]
      return time ? [{ reason: `${period} within`, count: -1, since: since(time), periodOf: of(period) }] : []
    }),
  ]
}
