import { durationText } from '../go/duration-text.ts'
import { any, string } from '../go/go-type.ts'
import { maxDuration, parseDuration } from '../go/parse-duration.ts'
import { formatTime } from '../go/time-format.ts'
import { parseTime } from '../go/time-parse.ts'
import { goTime, timeType } from '../go/time-type.ts'
import { loadZone } from '../go/time-zone.ts'
import { GoInt, GoPointer, GoTime, type GoValue, utc, zeroTimeNanos } from '../go/value.ts'
import { defineTemplateFunction, type TemplateFunction, type TemplateHost } from './define.ts'
import { nilDereference } from './kind.ts'

const nanosPerSecond = 1_000_000_000n

/**
 * Layouts are Go's: how Mon Jan 2 15:04:05 MST 2006 would look. The local zone is UTC. A value that is neither a time nor
 * an int (seconds since 1970) counts as now, as in Kanister: text must go through `toDate` first.
 */
export const dateFunctions: readonly TemplateFunction[] = [
  defineTemplateFunction({
    name: 'now',
    summary: 'The time at which the action was launched or is rendered.',
    example: ['{{ now | kindOf }}', 'struct'],
    params: [],
    result: timeType,
    call: (host) => goTime(host.now()),
  }),
  defineTemplateFunction({
    name: 'date',
    summary: 'A time in a layout, in UTC.',
    example: ['{{ date "2006-01-02" 0 }}', '1970-01-01'],
    params: [string, any],
    result: string,
    call: (host, layout, value) => inZone(host, layout, value, 'Local'),
  }),
  ...(['dateInZone', 'date_in_zone'] as const).map((name) =>
    defineTemplateFunction({
      name,
      summary: 'A time in a layout and a time zone; an unknown zone counts as UTC.',
      example: [`{{ ${name} "15:04" 0 "America/New_York" }}`, '19:00'],
      params: [string, any, string],
      result: string,
      call: (host, layout, value, zone) => inZone(host, layout, value, zone),
    }),
  ),
  defineTemplateFunction({
    name: 'htmlDate',
    summary: 'A time as 2006-01-02, in UTC.',
    example: ['{{ htmlDate 0 }}', '1970-01-01'],
    params: [any],
    result: string,
    call: (host, value) => inZone(host, '2006-01-02', value, 'Local'),
  }),
  defineTemplateFunction({
    name: 'htmlDateInZone',
    summary: 'A time as 2006-01-02, in a time zone.',
    example: ['{{ htmlDateInZone 0 "America/New_York" }}', '1969-12-31'],
    params: [any, string],
    result: string,
    call: (host, value, zone) => inZone(host, '2006-01-02', value, zone),
  }),
  ...(['dateModify', 'date_modify'] as const).map((name) =>
    defineTemplateFunction({
      name,
      summary: 'A time moved by a duration such as `-1h30m`; unchanged where it is none.',
      example: [`{{ toDate "15:04" "10:00" | ${name} "90m" | date "15:04" }}`, '11:30'],
      params: [string, timeType],
      result: timeType,
      call: (_host, duration, value) => {
        const time = value instanceof GoTime ? value : goTime(zeroTimeNanos)
        return goTime(time.unixNanos + (parseDuration(duration) ?? 0n), time.zone)
      },
    }),
  ),
  defineTemplateFunction({
    name: 'ago',
    summary: 'How long ago a time was, in whole seconds.',
    example: ['{{ ago now }}', '0s'],
    params: [any],
    result: string,
    call: (host, value) => {
      // Here, unlike in `date`, an int32 or a pointer is not looked into.
      const isTime = value instanceof GoTime || typeof value === 'bigint' || isInt64(value)
      const since = isTime ? host.now() - instantOf(host, value) : 0n
      return durationText(wholeSeconds(since))
    },
  }),
  defineTemplateFunction({
    name: 'toDate',
    summary: 'Text in a layout to a time; the zero time where it does not fit.',
    example: ['{{ toDate "2006-01-02" "2024-02-29" | date "Jan 2" }}', 'Feb 29'],
    params: [string, string],
    result: timeType,
    call: (_host, layout, text) => {
      const parsed = parseTime(layout, text)
      return parsed ? goTime(parsed.unixNanos, parsed.zone) : goTime(zeroTimeNanos)
    },
  }),
  defineTemplateFunction({
    name: 'unixEpoch',
    summary: 'A time as seconds since 1970.',
    example: ['{{ toDate "2006-01-02" "1970-01-02" | unixEpoch }}', '86400'],
    params: [timeType],
    result: string,
    call: (_host, value) => {
      const nanos = value instanceof GoTime ? value.unixNanos : zeroTimeNanos
      return String((nanos - (((nanos % nanosPerSecond) + nanosPerSecond) % nanosPerSecond)) / nanosPerSecond)
    },
  }),
]

function inZone(host: TemplateHost, layout: string, value: GoValue, zone: string): string {
  return formatTime(goTime(instantOf(host, value), loadZone(zone) ?? utc), layout)
}

function instantOf(host: TemplateHost, value: GoValue): bigint {
  if (value instanceof GoTime) return value.unixNanos
  if (value instanceof GoPointer && value.type.name === '*time.Time') {
    if (value.target instanceof GoTime) return value.target.unixNanos
    throw nilDereference()
  }
  if (typeof value === 'bigint') return value * nanosPerSecond
  if (value instanceof GoInt && (isInt64(value) || value.type.name === 'int32')) return value.value * nanosPerSecond
  return host.now()
}

function isInt64(value: GoValue): boolean {
  return value instanceof GoInt && value.type.name === 'int64'
}

/** Rounded, halves away from zero; what is beyond 292 years stays there, and is not rounded, as in Go. */
function wholeSeconds(nanos: bigint): bigint {
  if (nanos > maxDuration) return maxDuration
  if (nanos < -maxDuration) return -maxDuration - 1n
  const half = nanos < 0n ? -nanosPerSecond / 2n : nanosPerSecond / 2n
  return ((nanos + half) / nanosPerSecond) * nanosPerSecond
}
