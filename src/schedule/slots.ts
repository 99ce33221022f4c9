import type { CronPattern } from './cron.ts'
import type { Zone } from './zone.ts'

/** When a schedule is due. A slot is a moment in epoch ms, in whole minutes. */
export interface Timetable {
  readonly pattern: CronPattern
  readonly zone: Zone
}

/**
 * The first slot after a moment; undefined when none comes any more.
 *
 * On the days on which the clock is changed, a pattern that names hours runs once for each time that it names: at the first of two such
 * moments, or, if the clock is set forward over the time, after the gap by as much as the time lies in it. One that names no hour goes on
 * with the time that passes: nothing in the gap, each of two moments.
 */
export function nextSlot(timetable: Timetable, after: number): number | undefined {
  const { pattern, zone } = timetable
  const wall = pattern.next(zone.wallOf(after))
  if (wall === undefined) return undefined
  const plain = zone.momentsOf(wall).shifted
  const slack = 2 * Math.max(changeNear(zone, after), changeNear(zone, plain))
  return slack === 0 ? plain : firstOfSome(timetable, after, slack)
}

/** The slots after `after` up to and with `until`, oldest first. */
export function* slotsBetween(timetable: Timetable, after: number, until: number): Generator<number> {
  for (let slot = nextSlot(timetable, after); slot !== undefined && slot <= until; slot = nextSlot(timetable, slot)) yield slot
}

/** Near a change of the clock the wall goes back while time goes on, so all times on the wall that may come into question are looked at. */
function firstOfSome(timetable: Timetable, after: number, slack: number): number | undefined {
  const { pattern, zone } = timetable
  let best: number | undefined
  let wall = pattern.next(zone.wallOf(after) - slack)
  while (wall !== undefined && (best === undefined || wall <= zone.wallOf(best) + slack)) {
    for (const slot of slotsAt(timetable, wall)) if (slot > after && (best === undefined || slot < best)) best = slot
    wall = pattern.next(wall)
  }
  return best
}

function slotsAt({ pattern, zone }: Timetable, wall: number): readonly number[] {
  const { moments, shifted } = zone.momentsOf(wall)
  return pattern.everyHour ? moments : [moments[0] ?? shifted]
}

const aDayAndMore = 26 * 3_600_000

/** By how much the clock is changed within a day or so, in ms. */
function changeNear(zone: Zone, moment: number): number {
  const offset = (at: number): number => zone.wallOf(at) - at
  return Math.abs(offset(moment + aDayAndMore) - offset(moment - aDayAndMore))
}
