import { knownZoneName } from './time-zone-names.ts'
import { type GoZone, utc } from './value.ts'

/**
 * `time.LoadLocation(name)`, from the zones this runtime knows; undefined for an unknown name. `Local` is UTC, as in
 * Kanister's image, so that a template renders the same wherever it runs. '' is UTC too.
 */
export function loadZone(name: string): GoZone | undefined {
  if (name === '' || name === 'UTC' || name === 'Local') return utc
  const format = formatterFor(name)
  if (!format) return undefined
  return { name, at: (unixNanos) => zoneAt(name, format, Number(unixNanos / 1_000_000n)) }
}

function formatterFor(name: string): Intl.DateTimeFormat | undefined {
  // Intl also takes offsets and any case; Go takes names of files.
  if (!/^[A-Z][A-Za-z0-9_+/-]*$/.test(name)) return undefined
  try {
    const format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset', year: 'numeric' })
    return format
  } catch {
    // Not a zone: the caller decides what then.
    return undefined
  }
}

function zoneAt(name: string, format: Intl.DateTimeFormat, epochMs: number): { offsetSeconds: number; abbreviation: string } {
  const offset = zonePart(format, epochMs)
  const match = /^GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(offset)
  const size = match ? Number(match[2]) * 3600 + Number(match[3]) * 60 + Number(match[4] ?? 0) : 0
  const offsetSeconds = match?.[1] === '-' ? -size : size
  return { offsetSeconds, abbreviation: abbreviationOf(name, offsetSeconds, epochMs) }
}

/** Locales that know the short names of zones in their part of the world; the others give GMT+1 and the like. */
const knowing = ['en-US', 'en-GB', 'en-AU', 'en-IN', 'en-ZA', 'en-NZ'] as const

function abbreviationOf(name: string, offsetSeconds: number, epochMs: number): string {
  const short = knownZoneName(name, offsetSeconds) ?? nameByIntl(name, epochMs)
  if (short !== '') return short
  // Zones without a name in use are called by their offset in the zone database.
  const minutes = Math.trunc(Math.abs(offsetSeconds) / 60)
  const hours = String(Math.trunc(minutes / 60)).padStart(2, '0')
  const rest = minutes % 60 === 0 ? '' : String(minutes % 60).padStart(2, '0')
  return (offsetSeconds < 0 ? '-' : '+') + hours + rest
}

function nameByIntl(zone: string, epochMs: number): string {
  for (const locale of knowing) {
    const format = new Intl.DateTimeFormat(locale, { timeZone: zone, timeZoneName: 'short', year: 'numeric' })
    const short = zonePart(format, epochMs)
    if (/^[A-Z]{3,5}$/.test(short)) return short
  }
  return ''
}

function zonePart(format: Intl.DateTimeFormat, epochMs: number): string {
  return format.formatToParts(epochMs).find((part) => part.type === 'timeZoneName')?.value ?? ''
}
