import type { Period, Within } from './policy.ts'

/** The calendar of a place, as far as retention asks it. */
export interface Calendar {
  /** A text that is the same for all moments of one period. */
  periodOf(period: Period, moment: number): string
  /** The moment `within` before another. */
  before(moment: number, within: Within): number
}

/** `zone`: a name of the IANA database; throws RangeError for another. */
export function openCalendar(zone: string): Calendar {
  const at = (moment: number): Temporal.ZonedDateTime => Temporal.Instant.fromEpochMilliseconds(moment).toZonedDateTimeISO(zone)
  at(0)
  return {
    periodOf: (period, moment) => nameOf(period, at(moment)),
    before: (moment, within) => before(at(moment), within, zone),
  }
}

function nameOf(period: Period, time: Temporal.ZonedDateTime): string {
  const { year, month, day, hour } = time
  switch (period) {
    case 'yearly':
      return `${year}`
    case 'monthly':
      return `${year}-${month}`
    case 'weekly':
      return `${time.yearOfWeek}-W${time.weekOfYear}`
    case 'daily':
      return `${year}-${month}-${day}`
    case 'hourly':
      return `${year}-${month}-${day}T${hour}`
  }
}

/** A month before March 31 is February 31, which is March 3, as in restic: days that do not exist run over into the next month. */
function before(time: Temporal.ZonedDateTime, { years, months, days, hours }: Within, zone: string): number {
  const { year, month, day, hour, minute, second, millisecond } = time
  const wall = Date.UTC(year - years, month - 1 - months, day - days, hour, minute, second, millisecond)
  // Farther back than dates go.
  if (Number.isNaN(wall)) return -Infinity
  const plain = Temporal.Instant.fromEpochMilliseconds(wall).toZonedDateTimeISO('UTC').toPlainDateTime()
  return plain.toZonedDateTime(zone).epochMilliseconds - hours * 3_600_000
}
