import { civilTime, nanosPerSecond, unixSeconds } from './civil-time.ts'
import { clampDuration, formatDuration, roundDuration } from './duration.ts'
import {
  bool,
  bytes,
  definedType,
  float64,
  type GoMethod,
  type GoType,
  int,
  int64,
  pointerTo,
  string,
  structType,
} from './go-type.ts'
import { formatTime, rfc3339Nano, stringLayout } from './time-format.ts'
import { dayNames, monthNames } from './time-layout.ts'
import { parseTime } from './time-parse.ts'
import { GoBytes, GoTime, type GoValue, type GoZone, integer, integerIn, textIn, utc, zeroTimeNanos } from './value.ts'

/** A method without parameters. */
function getter<Receiver>(result: GoType, get: (receiver: Receiver) => GoValue): GoMethod {
  // The evaluator looks the method up on the receiver's own type, so it is a Receiver.
  return { params: [], result, call: (receiver) => get(receiver as Receiver) }
}

function bigOf(value: GoValue): bigint {
  return integerIn(value) ?? 0n
}

export const monthType: GoType<bigint> = definedType('time.Month', int, {
  String: getter<GoValue>(string, (value) => monthNames[Number(bigOf(value)) - 1] ?? `%!Month(${bigOf(value)})`),
})

export const weekdayType: GoType<bigint> = definedType('time.Weekday', int, {
  String: getter<GoValue>(string, (value) => dayNames[Number(bigOf(value))] ?? `%!Weekday(${bigOf(value)})`),
})

const durationMethods: Record<string, GoMethod> = {
  String: getter<GoValue>(string, (value) => formatDuration(bigOf(value))),
  Hours: getter<GoValue>(float64, (value) => fractional(bigOf(value), 3_600_000_000_000n)),
  Minutes: getter<GoValue>(float64, (value) => fractional(bigOf(value), 60_000_000_000n)),
  Seconds: getter<GoValue>(float64, (value) => fractional(bigOf(value), nanosPerSecond)),
  Milliseconds: getter<GoValue>(int64, (value) => integer(int64, bigOf(value) / 1_000_000n)),
  Microseconds: getter<GoValue>(int64, (value) => integer(int64, bigOf(value) / 1000n)),
  Nanoseconds: getter<GoValue>(int64, (value) => integer(int64, bigOf(value))),
}

/** time.Duration: an int64 of nanoseconds. */
export const durationType: GoType<bigint> = definedType('time.Duration', int64, durationMethods)

Object.assign(durationMethods, {
  Abs: getter<GoValue>(durationType, (value) => durationValue(bigOf(value) < 0n ? -bigOf(value) : bigOf(value))),
  Round: withDuration((value, unit) => roundDuration(value, unit)),
  Truncate: withDuration((value, unit) => (unit <= 0n ? value : value - (value % unit))),
})

function withDuration(work: (value: bigint, unit: bigint) => bigint): GoMethod {
  return {
    params: [durationType],
    result: durationType,
    call: (receiver, [unit = null]) => durationValue(work(bigOf(receiver), bigOf(unit))),
  }
}

function fractional(nanos: bigint, unit: bigint): number {
  return Number(nanos / unit) + Number(nanos % unit) / Number(unit)
}

export function durationValue(nanos: bigint): GoValue {
  return integer(durationType, clampDuration(nanos))
}

/** A time.Time. */
export function timeValue(unixNanos: bigint, zone: GoZone = utc): GoTime {
  return new GoTime(timeType, unixNanos, zone)
}

/** A time.Time from RFC 3339 text, its offset kept; the zero time for what is none. */
export function timeFromRfc3339(text: string): GoTime {
  const parsed = parseTime(rfc3339Nano, text)
  return parsed ? timeValue(parsed.unixNanos, parsed.zone) : timeValue(zeroTimeNanos)
}

/** `json.Marshal` of a time, without the quotes. */
export function timeToJsonText(time: GoTime): string {
  return formatTime(time, rfc3339Nano)
}

const timeMethods: Record<string, GoMethod> = {
  String: getter<GoTime>(string, (time) => formatTime(time, stringLayout)),
  Unix: getter<GoTime>(int64, (time) => integer(int64, floorTo(time, nanosPerSecond))),
  UnixMilli: getter<GoTime>(int64, (time) => integer(int64, floorTo(time, 1_000_000n))),
  UnixMicro: getter<GoTime>(int64, (time) => integer(int64, floorTo(time, 1000n))),
  UnixNano: getter<GoTime>(int64, (time) => integer(int64, time.unixNanos)),
  Year: getter<GoTime>(int, (time) => BigInt(civilOf(time).year)),
  Month: getter<GoTime>(monthType, (time) => integer(monthType, BigInt(civilOf(time).month))),
  Day: getter<GoTime>(int, (time) => BigInt(civilOf(time).day)),
  Weekday: getter<GoTime>(weekdayType, (time) => integer(weekdayType, BigInt(civilOf(time).weekday))),
  YearDay: getter<GoTime>(int, (time) => BigInt(civilOf(time).yearDay)),
  Hour: getter<GoTime>(int, (time) => BigInt(civilOf(time).hour)),
  Minute: getter<GoTime>(int, (time) => BigInt(civilOf(time).minute)),
  Second: getter<GoTime>(int, (time) => BigInt(civilOf(time).second)),
  Nanosecond: getter<GoTime>(int, (time) => BigInt(civilOf(time).nanosecond)),
  IsZero: getter<GoTime>(bool, (time) => time.unixNanos === zeroTimeNanos),
  MarshalText: {
    params: [],
    result: bytes,
    second: 'error',
    call: (time) => new GoBytes(Buffer.from(timeToJsonText(asTime(time)))),
  },
  MarshalJSON: {
    params: [],
    result: bytes,
    second: 'error',
    call: (time) => new GoBytes(Buffer.from(`"${timeToJsonText(asTime(time))}"`)),
  },
  Format: {
    params: [string],
    result: string,
    call: (time, [layout = '']) => formatTime(asTime(time), textIn(layout) ?? ''),
  },
  // Two and three results, which templates refuse to call.
  ISOWeek: { params: [], result: int, second: int, call: () => 0n },
  Zone: { params: [], result: string, second: int, call: () => '' },
}

/** time.Time. Templates see its methods only; it has no field that they could. */
export const timeType: GoType<GoValue> = structType('time.Time', [], timeMethods)
export const timePointerType: GoType<GoValue> = pointerTo(timeType)

Object.assign(timeMethods, {
  UTC: getter<GoTime>(timeType, (time) => timeValue(time.unixNanos)),
  Local: getter<GoTime>(timeType, (time) => timeValue(time.unixNanos)),
  Add: {
    params: [durationType],
    result: timeType,
    call: (time, [by = null]) => timeValue(asTime(time).unixNanos + bigOf(by), asTime(time).zone),
  },
  AddDate: {
    params: [int, int, int],
    result: timeType,
    call: (time, [years = null, months = null, days = null]) =>
      addDate(asTime(time), Number(bigOf(years)), Number(bigOf(months)), Number(bigOf(days))),
  },
  Sub: {
    params: [timeType],
    result: durationType,
    call: (time, [other = null]) => durationValue(asTime(time).unixNanos - asTime(other).unixNanos),
  },
  Before: comparing((order) => order < 0, bool),
  After: comparing((order) => order > 0, bool),
  Equal: comparing((order) => order === 0, bool),
  Compare: comparing((order) => BigInt(order), int),
  Round: withUnit((time, unit) => roundToUnit(time, unit)),
  Truncate: withUnit((time, unit) => truncateToUnit(time, unit)),
} satisfies Record<string, GoMethod>)

function asTime(value: GoValue): GoTime {
  return value instanceof GoTime ? value : timeValue(zeroTimeNanos)
}

function civilOf(time: GoTime): ReturnType<typeof civilTime> {
  return civilTime(time.unixNanos, time.zone.at(time.unixNanos).offsetSeconds)
}

function floorTo(time: GoTime, unit: bigint): bigint {
  const rest = time.unixNanos % unit
  return (time.unixNanos - rest) / unit - (rest < 0n ? 1n : 0n)
}

function comparing(give: (order: -1 | 0 | 1) => GoValue, result: GoType): GoMethod {
  return {
    params: [timeType],
    result,
    call: (time, [other = null]) => {
      const [a, b] = [asTime(time).unixNanos, asTime(other).unixNanos]
      return give(a < b ? -1 : a > b ? 1 : 0)
    },
  }
}

function withUnit(work: (sinceZero: bigint, unit: bigint) => bigint): GoMethod {
  return {
    params: [durationType],
    result: timeType,
    call: (receiver, [unit = null]) => {
      const time = asTime(receiver)
      if (bigOf(unit) <= 0n) return time
      // Multiples are counted from the zero time, not from 1970.
      return timeValue(work(time.unixNanos - zeroTimeNanos, bigOf(unit)) + zeroTimeNanos, time.zone)
    },
  }
}

function truncateToUnit(value: bigint, unit: bigint): bigint {
  return value - (((value % unit) + unit) % unit)
}

function roundToUnit(value: bigint, unit: bigint): bigint {
  const down = truncateToUnit(value, unit)
  return (value - down) * 2n < unit ? down : down + unit
}

/** The day is carried over where the month is too short, as Go normalises dates. */
function addDate(time: GoTime, years: number, months: number, days: number): GoTime {
  const civil = civilOf(time)
  const offset = time.zone.at(time.unixNanos).offsetSeconds
  const seconds = unixSeconds(
    civil.year + years,
    civil.month + months,
    civil.day + days,
    civil.hour,
    civil.minute,
    civil.second,
  )
  const guess = BigInt(seconds - offset) * nanosPerSecond + BigInt(civil.nanosecond)
  const shift = BigInt(offset - time.zone.at(guess).offsetSeconds) * nanosPerSecond
  return timeValue(guess + shift, time.zone)
}
