import type { GoTime } from './value.ts'

/** The parts of an instant in its own zone. */
export interface TimeParts {
  readonly year: number
  /** 1 to 12 */
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly nanosecond: number
  /** 0 is Sunday */
  readonly weekday: number
  /** 1 to 366 */
  readonly yearDay: number
  readonly offsetSeconds: number
  readonly abbreviation: string
}

export const monthNames = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const

export const dayNames = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const

const second = 1_000_000_000n
const daySeconds = 86_400

export function timeParts(time: GoTime): TimeParts {
  const { offsetSeconds, abbreviation } = time.zone.at(time.unixNanos)
  const local = time.unixNanos + BigInt(offsetSeconds) * second
  const nanosecond = Number(((local % second) + second) % second)
  const seconds = Number((local - BigInt(nanosecond)) / second)
  const days = Math.floor(seconds / daySeconds)
  const inDay = seconds - days * daySeconds
  const { year, month, day } = civilFromDays(days)
  return {
    year,
    month,
    day,
    hour: Math.floor(inDay / 3600),
    minute: Math.floor(inDay / 60) % 60,
    second: inDay % 60,
    nanosecond,
    weekday: (((days + 4) % 7) + 7) % 7,
    yearDay: days - daysFromCivil(year, 1, 1) + 1,
    offsetSeconds,
    abbreviation,
  }
}

/** Days since 1970-01-01 in the proleptic Gregorian calendar. Months and days out of range carry over. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const monthIndex = month - 1
  const y = year + Math.floor(monthIndex / 12)
  const m = ((monthIndex % 12) + 12) % 12
  // Years are counted from March, so that the leap day is the last.
  const shifted = m < 2 ? y - 1 : y
  const era = Math.floor(shifted / 400)
  const ofEra = shifted - era * 400
  const ofYear = Math.floor((153 * (m < 2 ? m + 10 : m - 2) + 2) / 5)
  return era * 146_097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear + day - 1 - 719_468
}

function civilFromDays(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1,
  }
}

/** The elements of a Go layout, longest first where one begins another. `Jan` and `Mon` must not begin a longer word in lower case. */
const element =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|2006|-07:00:00|-070000|-07:00|-0700|-07|Z07:00:00|Z070000|Z07:00|Z0700|Z07|002|01|02|03|04|05|06|__2|_2(?!006)|15|[.,](?:0+|9+)(?!\d)|PM|pm|1|2|3|4|5/g

/** `t.Format(layout)` */
export function formatTime(time: GoTime, layout: string): string {
  const parts = timeParts(time)
  return layout.replace(element, (found: string) =>
    /^[.,]/.test(found) ? formatFraction(parts, found) : (formatElement(parts, found) ?? found),
  )
}

function formatElement(parts: TimeParts, found: string): string | undefined {
  const { year, month, day, hour } = parts
  switch (found) {
    case 'January':
      return monthNames[month - 1]
    case 'Jan':
      return monthNames[month - 1]?.slice(0, 3)
    case 'Monday':
      return dayNames[parts.weekday]
    case 'Mon':
      return dayNames[parts.weekday]?.slice(0, 3)
    case 'MST':
      return zoneAbbreviation(parts)
    case '2006':
      return year < 0 ? `-${digits(-year, 4)}` : digits(year, 4)
    case '06':
      return digits(Math.abs(year) % 100, 2)
    case '01':
      return digits(month, 2)
    case '1':
      return String(month)
    case '02':
      return digits(day, 2)
    case '_2':
      return String(day).padStart(2)
    case '2':
      return String(day)
    case '002':
      return digits(parts.yearDay, 3)
    case '__2':
      return String(parts.yearDay).padStart(3)
    case '15':
      return digits(hour, 2)
    case '03':
      return digits(hour % 12 || 12, 2)
    case '3':
      return String(hour % 12 || 12)
    case '04':
      return digits(parts.minute, 2)
    case '4':
      return String(parts.minute)
    case '05':
      return digits(parts.second, 2)
    case '5':
      return String(parts.second)
    case 'PM':
      return hour >= 12 ? 'PM' : 'AM'
    case 'pm':
      return hour >= 12 ? 'pm' : 'am'
    default:
      return formatOffset(parts.offsetSeconds, found)
  }
}

/** `.000` keeps all its places, `.999` drops zeros at the end, and the point with them. */
function formatFraction(parts: TimeParts, found: string): string {
  const places = digits(parts.nanosecond, 9)
    .slice(0, found.length - 1)
    .padEnd(found.length - 1, '0')
  if (found[1] === '0') return `${found[0]}${places}`
  const kept = places.replace(/0+$/, '')
  return kept === '' ? '' : `${found[0]}${kept}`
}

function formatOffset(offsetSeconds: number, layout: string): string | undefined {
  if (!/^[-Z]07/.test(layout)) return undefined
  if (layout.startsWith('Z') && offsetSeconds === 0) return 'Z'
  const size = Math.abs(offsetSeconds)
  const all = [Math.floor(size / 3600), Math.floor(size / 60) % 60, size % 60].map((part) => digits(part, 2))
  const shown = all.slice(0, layout.replace(/[^0-9]/g, '').length / 2)
  return `${offsetSeconds < 0 ? '-' : '+'}${shown.join(layout.includes(':') ? ':' : '')}`
}

/** A zone without a name shows its offset. */
function zoneAbbreviation({ abbreviation, offsetSeconds }: TimeParts): string {
  if (abbreviation !== '') return abbreviation
  const minutes = Math.floor(Math.abs(offsetSeconds) / 60)
  return `${offsetSeconds < 0 ? '-' : '+'}${digits(Math.floor(minutes / 60), 2)}${digits(minutes % 60, 2)}`
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, '0')
}
