/** A date and time of day as a clock on the wall shows it. Months count from 1, days of the week from Sunday = 0. */
export interface CivilTime {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly nanosecond: number
  readonly weekday: number
  /** 1 for the first of January. */
  readonly yearDay: number
}

export const nanosPerSecond = 1_000_000_000n

/** What a clock that is `offsetSeconds` ahead of UTC shows at an instant (proleptic Gregorian calendar, any year). */
export function civilTime(unixNanos: bigint, offsetSeconds: number): CivilTime {
  const seconds = floorDivide(unixNanos, nanosPerSecond)
  const local = Number(seconds) + offsetSeconds
  const days = Math.floor(local / 86_400)
  const ofDay = local - days * 86_400
  const date = dateOfDay(days)
  return {
    ...date,
    hour: Math.floor(ofDay / 3600),
    minute: Math.floor(ofDay / 60) % 60,
    second: ofDay % 60,
    nanosecond: Number(unixNanos - seconds * nanosPerSecond),
    weekday: (((days + 4) % 7) + 7) % 7,
    yearDay: days - dayOfDate(date.year, 1, 1) + 1,
  }
}

/** Seconds since 1970 of a civil time in UTC. Values beyond their range carry over, as in Go's `time.Date`. */
export function unixSeconds(year: number, month: number, day: number, hour = 0, minute = 0, second = 0): number {
  return dayOfDate(year, month, 1) * 86_400 + (day - 1) * 86_400 + hour * 3600 + minute * 60 + second
}

export function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
}

export function daysInMonth(year: number, month: number): number {
  return dayOfDate(year, month + 1, 1) - dayOfDate(year, month, 1)
}

export function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by
  return value % by < 0n ? quotient - 1n : quotient
}

const daysPer400Years = 146_097

/** Days from 1970-01-01 to a date; `month` may lie outside of 1 to 12. */
function dayOfDate(year: number, month: number, day: number): number {
  const carried = year + Math.floor((month - 1) / 12)
  const inYear = ((((month - 1) % 12) + 12) % 12) + 1
  // Years that begin in March put the leap day last.
  const marchYear = inYear <= 2 ? carried - 1 : carried
  const era = Math.floor(marchYear / 400)
  const yearOfEra = marchYear - era * 400
  const dayOfYear = Math.floor((153 * ((inYear + 9) % 12) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * daysPer400Years + dayOfEra - 719_468
}

function dateOfDay(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468
  const era = Math.floor(shifted / daysPer400Years)
  const dayOfEra = shifted - era * daysPer400Years
  const leaps = Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096)
  const yearOfEra = Math.floor((dayOfEra - leaps) / 365)
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
  }
}
