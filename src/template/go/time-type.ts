import { durationText } from './duration-text.ts'
import {
  bool,
  bytes,
  definedType,
  float64,
  type GoMethod,
  type GoType,
  int,
  int64,
  string,
  structType,
  pointerTo,
} from './go-type.ts'
import { dayNames, daysFromCivil, formatTime, monthNames, timeParts, type TimeParts } from './time-format.ts'
import {
  GoBytes,
  GoInt,
  GoPointer,
  GoStruct,
  GoTime,
  type GoValue,
  type GoZone,
  integer,
  integerIn,
  textIn,
  utc,
  zeroTimeNanos,
} from './value.ts'

const second = 1_000_000_000n

/** time.Duration: nanoseconds. */
export const durationType: GoType<bigint> = definedType('time.Duration', int64, {
  String: method(string, (d) => durationText(nanosOf(d))),
  Nanoseconds: method(int64, (d) => integer(int64, nanosOf(d))),
  Microseconds: method(int64, (d) => integer(int64, nanosOf(d) / 1_000n)),
  Milliseconds: method(int64, (d) => integer(int64, nanosOf(d) / 1_000_000n)),
  Seconds: method(float64, (d) => inUnits(nanosOf(d), second)),
  Minutes: method(float64, (d) => inUnits(nanosOf(d), 60n * second)),
  Hours: method(float64, (d) => inUnits(nanosOf(d), 3600n * second)),
  get Abs() {
    return method(durationType, (d) => duration(nanosOf(d) < 0n ? -nanosOf(d) : nanosOf(d)))
  },
  get Truncate() {
    return withDuration(durationType, (d, unit) => duration(unit <= 0n ? d : d - (d % unit)))
  },
  get Round() {
    return withDuration(durationType, (d, unit) => duration(roundTo(d, unit)))
  },
})

export function duration(nanos: bigint): GoValue {
  return new GoInt(durationType, BigInt.asIntN(64, nanos))
}

export const monthType: GoType<bigint> = definedType('time.Month', int, {
  String: method(string, (month) => monthNames[Number(integerIn(month)) - 1] ?? `%!Month(${integerIn(month)})`),
})

export const weekdayType: GoType<bigint> = definedType('time.Weekday', int, {
  String: method(string, (day) => dayNames[Number(integerIn(day))] ?? `%!Weekday(${integerIn(day)})`),
})

const locationType = structType('time.Location', [{ name: 'name', type: string }], {
  String: { pointer: true, params: [], result: string, call: (location) => (location as GoStruct).values[0] ?? '' },
})

/** time.Time. Its values are GoTime; `goTime` makes them. */
export const timeType: GoType<GoTime> = {
  kind: 'struct',
  name: 'time.Time',
  defined: true,
  methods: {
    ...intMethods({
      Year: (parts) => parts.year,
      Day: (parts) => parts.day,
      Hour: (parts) => parts.hour,
      Minute: (parts) => parts.minute,
      Second: (parts) => parts.second,
      Nanosecond: (parts) => parts.nanosecond,
      YearDay: (parts) => parts.yearDay,
    }),
    Month: ofTime(monthType, (t) => new GoInt(monthType, BigInt(timeParts(t).month))),
    Weekday: ofTime(weekdayType, (t) => new GoInt(weekdayType, BigInt(timeParts(t).weekday))),
    Unix: ofTime(int64, (t) => integer(int64, floorDivide(t.unixNanos, second))),
    UnixMilli: ofTime(int64, (t) => integer(int64, floorDivide(t.unixNanos, 1_000_000n))),
    UnixMicro: ofTime(int64, (t) => integer(int64, floorDivide(t.unixNanos, 1_000n))),
    UnixNano: ofTime(int64, (t) => integer(int64, t.unixNanos)),
    IsZero: ofTime(bool, (t) => t.unixNanos === zeroTimeNanos),
    IsDST: ofTime(bool, () => false),
    String: ofTime(string, timeText),
    GoString: ofTime(string, goSyntax),
    Format: { params: [string], result: string, call: (t, [layout]) => formatTime(t as GoTime, textIn(layout ?? '') ?? '') },
    MarshalJSON: { params: [], result: bytes, second: 'error', call: (t) => encoded(`"${rfc3339(t as GoTime)}"`) },
    MarshalText: { params: [], result: bytes, second: 'error', call: (t) => encoded(rfc3339(t as GoTime)) },
    Location: ofTime(pointerTo(locationType), (t) => {
      return new GoPointer(pointerTo(locationType), new GoStruct(locationType, [t.zone.name]))
    }),
    Zone: { params: [], result: string, second: int, call: (t) => timeParts(t as GoTime).abbreviation },
    ISOWeek: { params: [], result: int, second: int, call: () => 0n },
    get UTC() {
      return ofTime(timeType, (t) => goTime(t.unixNanos, utc))
    },
    get Local() {
      return ofTime(timeType, (t) => goTime(t.unixNanos, localZone))
    },
    get Add() {
      return withDuration(timeType, (_, d, t) => goTime((t as GoTime).unixNanos + d, (t as GoTime).zone))
    },
    get Truncate() {
      return withDuration(timeType, (_, unit, t) => truncateTime(t as GoTime, unit, 'down'))
    },
    get Round() {
      return withDuration(timeType, (_, unit, t) => truncateTime(t as GoTime, unit, 'nearest'))
    },
    AddDate: { params: [int, int, int], result: { kind: 'struct', name: 'time.Time', defined: true }, call: addDate },
    get Sub() {
      return withTime(durationType, (t, other) => duration(saturate(t.unixNanos - other.unixNanos)))
    },
    get Before() {
      return withTime(bool, (t, other) => t.unixNanos < other.unixNanos)
    },
    get After() {
      return withTime(bool, (t, other) => t.unixNanos > other.unixNanos)
    },
    get Equal() {
      return withTime(bool, (t, other) => t.unixNanos === other.unixNanos)
    },
    get Compare() {
      return withTime(int, (t, other) => BigInt(Number(t.unixNanos > other.unixNanos) - Number(t.unixNanos < other.unixNanos)))
    },
  },
}

/** The zone of the engine's templates: Kanister's image runs in UTC, and says `Local`. */
export const localZone: GoZone = Object.freeze({
  name: 'Local',
  at: () => ({ offsetSeconds: 0, abbreviation: 'UTC' }),
})

export function goTime(unixNanos: bigint, zone: GoZone = utc): GoTime {
  return new GoTime(timeType, unixNanos, zone)
}

/** A zone of a constant offset, as a parsed `+05:30` gives; an offset of 0 is UTC. */
export function fixedZone(offsetSeconds: number, abbreviation = ''): GoZone {
  return { name: abbreviation, at: () => ({ offsetSeconds, abbreviation }) }
}

/** An RFC 3339 text (the form of Kubernetes and JSON) with its offset kept; undefined when it is none. */
export function parseRfc3339(text: string): GoTime | undefined {
  const match = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))$/.exec(text)
  if (!match) return undefined
  const [, year, month, day, hours, minutes, seconds] = match.map(Number) as number[]
  const nanos = BigInt((match[7] ?? '').slice(0, 9).padEnd(9, '0'))
  const size = Number(match[9] ?? 0) * 3600 + Number(match[10] ?? 0) * 60
  const offset = match[8] === '-' ? -size : size
  const days = daysFromCivil(year ?? 0, month ?? 1, day ?? 1)
  const total = days * 86_400 + (hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0) - offset
  return goTime(BigInt(total) * second + nanos, offset === 0 ? utc : fixedZone(offset))
}

/** RFC 3339 with nanoseconds where there are any: JSON's form of a time.Time. */
export function rfc3339(time: GoTime): string {
  return formatTime(time, '2006-01-02T15:04:05.999999999Z07:00')
}

function timeText(time: GoTime): string {
  return formatTime(time, '2006-01-02 15:04:05.999999999 -0700 MST')
}

function goSyntax(time: GoTime): string {
  const { year, month, day, hour, minute, second: seconds, nanosecond } = timeParts(time)
  const zone =
    time.zone.name === 'UTC' || time.zone.name === 'Local'
      ? `time.${time.zone.name}`
      : `time.Location(${JSON.stringify(time.zone.name)})`
  return `time.Date(${year}, time.${monthNames[month - 1]}, ${day}, ${hour}, ${minute}, ${seconds}, ${nanosecond}, ${zone})`
}

function addDate(receiver: GoValue, args: readonly GoValue[]): GoValue {
  const time = receiver as GoTime
  const [years = 0, months = 0, days = 0] = args.map((arg) => Number(integerIn(arg)))
  const parts = timeParts(time)
  const shift =
    daysFromCivil(parts.year + years, parts.month + months, parts.day + days) -
    daysFromCivil(parts.year, parts.month, parts.day)
  return goTime(time.unixNanos + BigInt(shift) * 86_400n * second, time.zone)
}

/** Go rounds times since year 1, not since 1970. */
function truncateTime(time: GoTime, unit: bigint, way: 'down' | 'nearest'): GoTime {
  if (unit <= 0n) return time
  const since = time.unixNanos - zeroTimeNanos
  const rest = ((since % unit) + unit) % unit
  const up = way === 'nearest' && rest + rest >= unit
  return goTime(time.unixNanos - rest + (up ? unit : 0n), time.zone)
}

function roundTo(nanos: bigint, unit: bigint): bigint {
  if (unit <= 0n) return nanos
  const size = nanos < 0n ? -nanos : nanos
  const rest = size % unit
  const rounded = rest + rest < unit ? size - rest : size - rest + unit
  return saturate(nanos < 0n ? -rounded : rounded)
}

function saturate(nanos: bigint): bigint {
  const most = (1n << 63n) - 1n
  return nanos > most ? most : nanos < -most - 1n ? -most - 1n : nanos
}

function inUnits(nanos: bigint, unit: bigint): number {
  return Number(nanos / unit) + Number(nanos % unit) / Number(unit)
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by
  return value % by < 0n ? quotient - 1n : quotient
}

function nanosOf(value: GoValue): bigint {
  return integerIn(value) ?? 0n
}

function encoded(text: string): GoBytes {
  return new GoBytes(new TextEncoder().encode(text))
}

function method(result: GoType, call: (receiver: GoValue) => GoValue): GoMethod {
  return { params: [], result, call }
}

function ofTime(result: GoType, call: (time: GoTime) => GoValue): GoMethod {
  // Methods of time.Time are called on GoTime only.
  return { params: [], result, call: (receiver) => call(receiver as GoTime) }
}

function withTime(result: GoType, call: (time: GoTime, other: GoTime) => GoValue): GoMethod {
  return { params: [timeType], result, call: (receiver, [other]) => call(receiver as GoTime, other as GoTime) }
}

function withDuration(result: GoType, call: (nanos: bigint, by: bigint, receiver: GoValue) => GoValue): GoMethod {
  return {
    params: [durationType],
    result,
    call: (receiver, [by]) => call(integerIn(receiver) ?? 0n, nanosOf(by ?? null), receiver),
  }
}

function intMethods(parts: Readonly<Record<string, (parts: TimeParts) => number>>): Record<string, GoMethod> {
  return Object.fromEntries(
    Object.entries(parts).map(([name, read]) => [name, ofTime(int, (time) => BigInt(read(timeParts(time))))]),
  )
}
