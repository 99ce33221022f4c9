import { dayNames, daysFromCivil, monthNames } from './time-format.ts'
import { type LayoutElement, type LayoutPart, nextPart } from './time-layout.ts'
import { fixedZone } from './time-type.ts'
import { type GoZone, utc } from './value.ts'

/**
 * `time.ParseInLocation(layout, value, time.Local)` with UTC as the local zone; undefined where Go reports an error.
 * An offset in the value gives a zone of that offset, a zone's name alone one of offset 0 (Go cannot know better).
 */
export function parseTime(layout: string, value: string): { unixNanos: bigint; zone: GoZone } | undefined {
  const fields: Fields = { year: 0, hour: 0, minute: 0, second: 0, nanosecond: 0, zoneName: '' }
  let restLayout = layout
  let rest = value
  for (let part = nextPart(restLayout); part; part = nextPart(restLayout)) {
    const behind = skipLiteral(rest, part.prefix)
    if (behind === undefined) return undefined
    restLayout = part.rest
    const left = readPart(part, behind, fields)
    if (left === undefined) return undefined
    rest = left
  }
  if (skipLiteral(rest, restLayout) !== '') return undefined
  return instantOf(fields)
}

interface Fields {
  year: number
  month?: number
  day?: number
  yearDay?: number
  hour: number
  minute: number
  second: number
  nanosecond: number
  half?: 'am' | 'pm'
  isUtc?: boolean
  offsetSeconds?: number
  zoneName: string
}

/** A run of spaces in the layout stands for any number of them in the value. */
function skipLiteral(value: string, literal: string): string | undefined {
  let rest = value
  for (let at = 0; at < literal.length;) {
    if (literal[at] === ' ') {
      if (rest !== '' && !rest.startsWith(' ')) return undefined
      while (literal[at] === ' ') at++
      rest = rest.replace(/^ +/, '')
    } else {
      if (rest === '' || rest[0] !== literal[at]) return undefined
      rest = rest.slice(1)
      at++
    }
  }
  return rest
}

/** Reads one element into `fields`; gives what is left of the value, undefined when it does not fit. */
function readPart(part: LayoutPart, value: string, fields: Fields): string | undefined {
  const { element } = part
  switch (element) {
    case '2006':
      return take(value, /^\d{4}/, (text) => void (fields.year = Number(text)))
    case '06':
      return take(value, /^(\d\d|[+-]\d)/, (text) => {
        const year = Number(text)
        fields.year = year + (year >= 69 ? 1900 : 2000)
      })
    case 'January':
    case 'Jan':
      return takeName(value, monthNames, element, (index) => void (fields.month = index + 1))
    case 'Monday':
    case 'Mon':
      return takeName(value, dayNames, element, () => undefined)
    case '1':
    case '01':
      return takeNumber(value, element === '01', 1, 12, (number) => void (fields.month = number))
    case '2':
    case '_2':
    case '02':
      return takeNumber(element === '_2' ? value.replace(/^ /, '') : value, element === '02', 0, 99, (number) => {
        fields.day = number
      })
    case '__2':
      return take(value.replace(/^ {1,2}/, ''), /^\d{1,3}/, (text) => void (fields.yearDay = Number(text)))
    case '002':
      return take(value, /^\d{3}/, (text) => void (fields.yearDay = Number(text)))
    case '15':
      return takeNumber(value, false, 0, 23, (number) => void (fields.hour = number))
    case '3':
    case '03':
      return takeNumber(value, element === '03', 0, 12, (number) => void (fields.hour = number))
    case '4':
    case '04':
      return takeNumber(value, element === '04', 0, 59, (number) => void (fields.minute = number))
    case '5':
    case '05':
      return readSecond(part, value, fields)
    case 'PM':
      return take(value, /^(AM|PM)/, (text) => void (fields.half = text === 'PM' ? 'pm' : 'am'))
    case 'pm':
      return take(value, /^(am|pm)/, (text) => void (fields.half = text === 'pm' ? 'pm' : 'am'))
    case 'fraction0':
      return readFraction(value, part.digits, fields)
    case 'fraction9':
      return /^[.,]\d/.test(value) ? readFraction(value, undefined, fields) : value
    case 'MST':
      return readZoneName(value, fields)
    default:
      return readOffset(element, value, fields)
  }
}

function take(value: string, pattern: RegExp, use: (text: string) => void): string | undefined {
  const match = pattern.exec(value)
  if (!match) return undefined
  use(match[0])
  return value.slice(match[0].length)
}

function takeName(
  value: string,
  names: readonly string[],
  element: LayoutElement,
  use: (index: number) => void,
): string | undefined {
  const lower = value.toLowerCase()
  const wanted = element.length === 3 ? names.map((name) => name.slice(0, 3)) : names
  const index = wanted.findIndex((name) => lower.startsWith(name.toLowerCase()))
  if (index < 0) return undefined
  use(index)
  return value.slice(wanted[index]?.length)
}

/** One or two digits, or exactly two. */
function takeNumber(
  value: string,
  twoDigits: boolean,
  least: number,
  most: number,
  use: (number: number) => void,
): string | undefined {
  const text = (twoDigits ? /^\d\d/ : /^\d{1,2}/).exec(value)?.[0]
  if (text === undefined || Number(text) < least || Number(text) > most) return undefined
  use(Number(text))
  return value.slice(text.length)
}

/** A fraction in the value is read even where the layout has none. */
function readSecond(part: LayoutPart, value: string, fields: Fields): string | undefined {
  const rest = takeNumber(value, part.element === '05', 0, 59, (number) => void (fields.second = number))
  if (rest === undefined || !/^[.,]\d/.test(rest)) return rest
  const next = nextPart(part.rest)?.element
  return next === 'fraction0' || next === 'fraction9' ? rest : readFraction(rest, undefined, fields)
}

function readFraction(value: string, digits: number | undefined, fields: Fields): string | undefined {
  const pattern = digits === undefined ? /^[.,]\d+/ : new RegExp(`^[.,]\\d{${digits}}`)
  return take(value, pattern, (text) => void (fields.nanosecond = Number(text.slice(1, 10).padEnd(9, '0'))))
}

const offsetPatterns: Readonly<Record<number, RegExp>> = {
  3: /^([+-])(\d\d)/,
  5: /^([+-])(\d\d)(\d\d)/,
  6: /^([+-])(\d\d):(\d\d)/,
  7: /^([+-])(\d\d)(\d\d)(\d\d)/,
  9: /^([+-])(\d\d):(\d\d):(\d\d)/,
}

function readOffset(element: string, value: string, fields: Fields): string | undefined {
  if (element.startsWith('Z') && value.startsWith('Z')) {
    fields.isUtc = true
    return value.slice(1)
  }
  const match = offsetPatterns[element.length]?.exec(value)
  if (!match) return undefined
  const [all, sign, hours = '0', minutes = '0', seconds = '0'] = match
  // A little more than can be is let through, as Go does.
  if (Number(hours) > 24 || Number(minutes) > 60 || Number(seconds) > 60) return undefined
  const total = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)
  fields.offsetSeconds = sign === '-' ? -total : total
  return value.slice(all.length)
}

function readZoneName(value: string, fields: Fields): string | undefined {
  if (value.startsWith('UTC')) {
    fields.isUtc = true
    return value.slice(3)
  }
  const name = zoneNameAt(value)
  if (name === '') return undefined
  fields.zoneName = name
  return value.slice(name.length)
}

/** Three capitals, or four or five that end in T, and a few exceptions; '' when there is no name. */
function zoneNameAt(value: string): string {
  const special = /^(ChST|MeST)/.exec(value)?.[0]
  if (special) return special
  if (value.startsWith('GMT')) return `GMT${signedHours(value.slice(3))}`
  if (/^[+-]/.test(value) && value.length >= 3) return signedHours(value)
  const capitals = /^[A-Z]{0,6}/.exec(value)?.[0] ?? ''
  if (capitals.length === 3) return capitals
  if (capitals.length === 4) return capitals.endsWith('T') || capitals === 'WITA' ? capitals : ''
  return capitals.length === 5 && capitals.endsWith('T') ? capitals : ''
}

function signedHours(value: string): string {
  const text = /^[+-]\d+/.exec(value)?.[0]
  return text !== undefined && Number(text.slice(1)) <= 23 ? text : ''
}

function instantOf(fields: Fields): { unixNanos: bigint; zone: GoZone } | undefined {
  const date = dateOf(fields)
  if (!date) return undefined
  const { year, minute, second, nanosecond, half, zoneName } = fields
  const hour = half === 'pm' && fields.hour < 12 ? fields.hour + 12 : half === 'am' && fields.hour === 12 ? 0 : fields.hour
  const seconds = daysFromCivil(year, date.month, date.day) * 86_400 + hour * 3600 + minute * 60 + second
  const at = (offsetSeconds: number): bigint => BigInt(seconds - offsetSeconds) * 1_000_000_000n + BigInt(nanosecond)
  if (fields.isUtc) return { unixNanos: at(0), zone: utc }
  const offset = fields.offsetSeconds
  if (offset !== undefined) {
    const isLocal = offset === 0 && (zoneName === '' || zoneName === 'UTC')
    return { unixNanos: at(offset), zone: isLocal ? utc : fixedZone(offset, zoneName) }
  }
  if (zoneName === '') return { unixNanos: at(0), zone: utc }
  // The clock is taken as UTC; a name like GMT+3 still shows its offset.
  const shown = /^GMT[+-]\d+$/.test(zoneName) ? Number(zoneName.slice(3)) * 3600 : 0
  return { unixNanos: at(0), zone: fixedZone(shown, zoneName) }
}

function dateOf(fields: Fields): { month: number; day: number } | undefined {
  const { year, yearDay } = fields
  if (yearDay !== undefined) {
    if (yearDay < 1 || yearDay > daysFromCivil(year + 1, 1, 1) - daysFromCivil(year, 1, 1)) return undefined
    const date = dateOfYearDay(year, yearDay)
    const agrees = (fields.month ?? date.month) === date.month && (fields.day ?? date.day) === date.day
    return agrees ? date : undefined
  }
  const { month = 1, day = 1 } = fields
  return day < 1 || day > daysInMonth(year, month) ? undefined : { month, day }
}

function dateOfYearDay(year: number, yearDay: number): { month: number; day: number } {
  let day = yearDay
  let month = 1
  for (; day > daysInMonth(year, month); month++) day -= daysInMonth(year, month)
  return { month, day }
}

function daysInMonth(year: number, month: number): number {
  return daysFromCivil(year, month + 1, 1) - daysFromCivil(year, month, 1)
}
