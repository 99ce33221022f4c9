import { type CivilTime, civilTime } from './civil-time.ts'
import { dayNames, type LayoutPart, monthNames, nextPart, type ZoneElement } from './time-layout.ts'
import type { GoTime } from './value.ts'

/** `Time.Format(layout)` */
export function formatTime(time: GoTime, layout: string): string {
  const zone = time.zone.at(time.unixNanos)
  const civil = civilTime(time.unixNanos, zone.offsetSeconds)
  let out = ''
  let rest = layout
  for (let part = nextPart(rest); part; part = nextPart(rest)) {
    out += part.prefix + formatPart(part, civil, zone)
    rest = part.rest
  }
  return out + rest
}

/** The layout of `Time.String()`, and so of `%v`. */
export const stringLayout = '2006-01-02 15:04:05.999999999 -0700 MST'

/** The layout of times in JSON. */
export const rfc3339Nano = '2006-01-02T15:04:05.999999999Z07:00'

interface ZoneAt {
  readonly offsetSeconds: number
  readonly abbreviation: string
}

function formatPart(part: LayoutPart, civil: CivilTime, zone: ZoneAt): string {
  switch (part.element) {
    case '2006':
      return padded(civil.year, 4)
    case '06':
      return padded(Math.max(0, civil.year) % 100, 2)
    case 'January':
      return monthNames[civil.month - 1] ?? ''
    case 'Jan':
      return (monthNames[civil.month - 1] ?? '').slice(0, 3)
    case '1':
      return String(civil.month)
    case '01':
      return padded(civil.month, 2)
    case 'Monday':
      return dayNames[civil.weekday] ?? ''
    case 'Mon':
      return (dayNames[civil.weekday] ?? '').slice(0, 3)
    case '2':
      return String(civil.day)
    case '_2':
      return String(civil.day).padStart(2, ' ')
    case '02':
      return padded(civil.day, 2)
    case '__2':
      return String(civil.yearDay).padStart(3, ' ')
    case '002':
      return padded(civil.yearDay, 3)
    case '15':
      return padded(civil.hour, 2)
    case '3':
      return String(civil.hour % 12 || 12)
    case '03':
      return padded(civil.hour % 12 || 12, 2)
    case '4':
      return String(civil.minute)
    case '04':
      return padded(civil.minute, 2)
    case '5':
      return String(civil.second)
    case '05':
      return padded(civil.second, 2)
    case 'PM':
      return civil.hour >= 12 ? 'PM' : 'AM'
    case 'pm':
      return civil.hour >= 12 ? 'pm' : 'am'
    case 'MST':
      return zone.abbreviation || formatOffset(zone.offsetSeconds, '-0700')
    case 'fraction0':
      return part.separator + fraction(civil, part.digits)
    case 'fraction9': {
      const digits = fraction(civil, part.digits).replace(/0+$/, '')
      return digits && part.separator + digits
    }
    default:
      return formatOffset(zone.offsetSeconds, part.element)
  }
}

/** Go has nine digits at hand and no more, whatever the layout asks for. */
function fraction(civil: CivilTime, digits: number): string {
  return padded(civil.nanosecond, 9).slice(0, digits)
}

function padded(value: number, width: number): string {
  return (value < 0 ? '-' : '') + String(Math.abs(value)).padStart(width, '0')
}

function formatOffset(offsetSeconds: number, element: ZoneElement): string {
  if (element.startsWith('Z') && offsetSeconds === 0) return 'Z'
  const total = Math.abs(offsetSeconds)
  const minutes = Math.trunc(total / 60)
  const colon = element.includes(':') ? ':' : ''
  // The sign is that of the whole minutes: half a minute west of UTC prints as +00.
  let out = Math.trunc(offsetSeconds / 60) < 0 ? '-' : '+'
  out += padded(Math.trunc(minutes / 60), 2)
  if (element.length > 3) out += colon + padded(minutes % 60, 2)
  if (element.length > 6) out += colon + padded(total % 60, 2)
  return out
}
