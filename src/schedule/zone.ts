import { scheduleError } from './errors.ts'

/** The clock of a place: how times on the wall and moments belong together. */
export interface Zone {
  readonly name: string
  /** What the wall shows at a moment, as if the zone were UTC. */
  wallOf(instantMs: number): number
  /**
   * The moments at which the wall shows that time: one as a rule, two (earlier first) when the clock is set back over it, none when it is
   * set forward over it; `shifted` is then the moment as far after the change as the time lies in the gap.
   */
  momentsOf(wallMs: number): { readonly moments: readonly number[]; readonly shifted: number }
}

/** A zone of the IANA database (`Europe/Berlin`), UTC when empty. */
export function openZone(name: string): Zone {
  const id = name === '' ? 'UTC' : name
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(id)
  } catch (error) {
    const message = `the time zone "${name}" is not known; it takes a name such as Europe/Berlin or UTC`
    throw scheduleError('SCHEDULE_BAD_TIME_ZONE', message, { cause: error })
  }
  return {
    name: id,
    wallOf: (instantMs) => {
      const zoned = Temporal.Instant.fromEpochMilliseconds(instantMs).toZonedDateTimeISO(id)
      return instantMs + Math.round(zoned.offsetNanoseconds / 1e6)
    },
    momentsOf: (wallMs) => {
      const plain = Temporal.Instant.fromEpochMilliseconds(wallMs).toZonedDateTimeISO('UTC').toPlainDateTime()
      const at = (disambiguation: 'earlier' | 'later'): Temporal.ZonedDateTime => plain.toZonedDateTime(id, { disambiguation })
      const [earlier, later] = [at('earlier'), at('later')]
      const moments = [earlier, later]
        .filter((zoned) => zoned.toPlainDateTime().equals(plain))
        .map((zoned) => zoned.epochMilliseconds)
      return { moments: [...new Set(moments)], shifted: later.epochMilliseconds }
    },
  }
}
