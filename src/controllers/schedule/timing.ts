import type { Schedule } from '../../api/schedule.ts'
import { parseGoDuration } from '../../base/go-duration.ts'
import { messageOf } from '../../base/errors.ts'
import { parseCron } from '../../schedule/cron.ts'
import type { ConcurrencyPolicy, MissedRunPolicy } from '../../schedule/due.ts'
import type { Timetable } from '../../schedule/slots.ts'
import { spreadDelay } from '../../schedule/spread.ts'
import { openZone } from '../../schedule/zone.ts'

/** The times of a Schedule, read. */
export interface Timing {
  /** Cron texts such as `@daily-random` differ from object to object. */
  timetable(objectKey: string): Timetable
  delayMs(objectKey: string): number
  readonly startingDeadlineMs: number
  readonly concurrency: ConcurrencyPolicy
  readonly missedRuns: MissedRunPolicy
}

/** What of the spec cannot be read comes back as text, for the status: it is the author's to mend. */
export function readTiming({ metadata, spec }: Schedule): Timing | { readonly fault: string } {
  try {
    const zone = openZone(spec.timeZone ?? '')
    const seed = (objectKey: string): string => `${metadata.namespace}/${metadata.name}/${objectKey}`
    const spreadMs = duration('spread', spec.spread, 0)
    // Also finds a bad text when no object is there yet.
    const common = parseCron(spec.cron, '')
    return {
      timetable: (objectKey) => ({ pattern: common.isSpread ? parseCron(spec.cron, seed(objectKey)) : common, zone }),
      delayMs: (objectKey) => spreadDelay(seed(objectKey), spreadMs),
      startingDeadlineMs: duration('startingDeadline', spec.startingDeadline, Infinity),
      concurrency: spec.concurrencyPolicy ?? 'Forbid',
      missedRuns: spec.missedRuns ?? 'Once',
    }
  } catch (error) {
    return { fault: messageOf(error) }
  }
}

function duration(field: string, text: string | undefined, fallback: number): number {
  if (text === undefined || text === '') return fallback
  const ms = parseGoDuration(text)
  if (ms === undefined) throw new RangeError(`${field} "${text}" is not a duration such as 30m or 1h30m`)
  return ms
}
