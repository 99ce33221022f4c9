import { names } from '../../api/names.ts'
import type { Schedule, ScheduledObject, ScheduleStatus } from '../../api/schedule.ts'
import type { Verification } from '../../api/verification.ts'
import { toRfc3339 } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import { parseCron } from '../../schedule/cron.ts'
import { decideDue, type DueAnswer, type DueQuestion } from '../../schedule/due.ts'
import type { Timetable } from '../../schedule/slots.ts'
import { openZone } from '../../schedule/zone.ts'
import { hasEnded, isFailing, lastGood, lastTried, newOutcomes, withProof, type Outcome } from './outcomes.ts'

export type ProofStatus = NonNullable<ScheduleStatus['verification']>

/** A Schedule with `verification` whose objects are known, and the Verifications that it made. */
export interface ProofView {
  readonly schedule: Schedule
  readonly verifications: readonly Verification[]
  readonly now: number
}

/** Verifications that a slot wants. */
export interface Round {
  readonly slot: number
  /** How many are still to be made. */
  readonly missing: number
  /** Keys of objects, those first that were tried longest ago; more than are needed, since the catalog may have nothing of some. */
  readonly candidates: readonly string[]
}

export interface ProofDecision {
  /** Of all objects of the Schedule, with what ended meanwhile. */
  readonly objects: Readonly<Record<string, ScheduledObject>>
  readonly outcomes: readonly Outcome[]
  /** Status when all is done. */
  readonly after: ProofStatus
  readonly round?: Round
  readonly skipped?: NonNullable<DueAnswer['skipped']>
  /** When to look again although nothing changed, epoch ms. */
  readonly next?: number
}

/** What became of proofs, and which are to be made now. Pure. */
export function decideProofs({ schedule, verifications, now }: ProofView): ProofDecision {
  const known = schedule.status?.objects ?? {}
  const outcomes = newOutcomes(known, verifications)
  const objects = { ...known }
  for (const outcome of outcomes) {
    const object = objects[outcome.objectKey]
    if (object) objects[outcome.objectKey] = withProof(object, outcome)
  }
  const before = schedule.status?.verification
  const base = { since: before?.since ?? toRfc3339(now), handled: before?.handled ?? toRfc3339(now) }
  const summary = { ...summaryOf(schedule, objects), running: verifications.filter((each) => !hasEnded(each)).length }
  const timetable = readTimetable(schedule)
  if ('fault' in timetable) {
    const after = { ...base, ...summary, ...skippedOf(before), message: timetable.fault }
    return { objects, outcomes, after }
  }
  const due = dueNow({ schedule, objects, verifications, timetable, handled: Date.parse(base.handled), now })
  const skipped = before?.skipped
  const passed = due.skipped && {
    count: (skipped?.count ?? 0) + due.skipped.count,
    at: toRfc3339(due.skipped.last),
    why: due.skipped.why,
  }
  const after: ProofStatus = {
    ...base,
    handled: toRfc3339(due.handled),
    ...summary,
    ...(due.next === undefined || schedule.spec.suspend ? {} : { nextRun: toRfc3339(due.next) }),
    ...(passed ? { skipped: passed } : skippedOf(before)),
    message: '',
  }
  const round = due.run === undefined ? undefined : roundOf(schedule, objects, verifications, due.run)
  return {
    objects,
    outcomes,
    after,
    ...(round ? { round } : {}),
    ...(due.skipped ? { skipped: due.skipped } : {}),
    ...(due.next === undefined ? {} : { next: due.next }),
  }
}

interface DueNow extends Omit<ProofView, 'now'> {
  readonly objects: ProofDecision['objects']
  readonly timetable: Timetable
  readonly handled: number
  readonly now: number
}

/**
 * An engine that was killed between the Verifications and the status has begun a slot that status does not know of: while it is the latest one
 * it is completed, else it is settled.
 */
function dueNow({ schedule, objects, verifications, timetable, handled, now }: DueNow): DueAnswer {
  const ask = (change: Partial<DueQuestion>): DueAnswer =>
    decideDue({
      ...timetable,
      now,
      handled,
      delayMs: 0,
      startingDeadlineMs: Infinity,
      missedRuns: 'Once',
      concurrency: 'Forbid',
      isRunning: false,
      ...change,
    })
  const hold = holdOf(schedule, objects)
  const latest = ask({}).run
  const begun = Math.max(0, ...verifications.map(slotOf).filter((slot) => slot > handled && slot <= now))
  const isRunning = verifications.some((each) => !hasEnded(each) && slotOf(each) !== latest)
  const settled = begun > 0 && (begun !== latest || hold !== undefined) ? begun : handled
  return ask({ handled: settled, isRunning, ...(hold === undefined ? {} : { hold }) })
}

function holdOf({ spec }: Schedule, objects: ProofDecision['objects']): string | undefined {
  if (spec.suspend) return 'the Schedule is suspended'
  return Object.values(objects).some(({ lastSuccess }) => lastSuccess) ? undefined : 'no object has a good backup yet'
}

/** Whoever fails all the time does not take the turn of the others. */
function roundOf(
  { spec }: Schedule,
  objects: ProofDecision['objects'],
  verifications: readonly Verification[],
  slot: number,
): Round {
  const made = verifications.filter((each) => slotOf(each) === slot)
  const taken = new Set(made.map(({ metadata }) => metadata.annotations?.[names.scheduledObject]))
  const candidates = Object.entries(objects)
    .filter(([key, { lastSuccess }]) => lastSuccess !== undefined && !taken.has(key))
    .toSorted(([key, a], [otherKey, b]) => lastTried(a) - lastTried(b) || (key < otherKey ? -1 : 1))
  return {
    slot,
    missing: Math.max(0, (spec.verification?.objectsPerRound ?? 1) - made.length),
    candidates: candidates.map(([key]) => key),
  }
}

function slotOf({ metadata }: Verification): number {
  return Date.parse(metadata.annotations?.[names.slot] ?? '') || 0
}

/** Of objects that have a backup: what never had one is the Schedule's own matter. */
function summaryOf(
  schedule: Schedule,
  objects: ProofDecision['objects'],
): Pick<ProofStatus, 'neverProven' | 'failing'> & { readonly lastProven?: string } {
  const all = Object.values(objects).filter(({ lastSuccess }) => lastSuccess)
  const proven = all.flatMap((object) => lastGood(schedule, object) ?? []).toSorted()
  const neverProven = all.length - proven.length
  return {
    ...(neverProven === 0 && proven[0] !== undefined ? { lastProven: proven[0] } : {}),
    neverProven,
    failing: all.filter(isFailing).length,
  }
}

function skippedOf(before: ProofStatus | undefined): Pick<ProofStatus, 'skipped'> {
  return before?.skipped ? { skipped: before.skipped } : {}
}

function readTimetable({ metadata, spec }: Schedule): Timetable | { readonly fault: string } {
  try {
    const zone = openZone(spec.timeZone ?? '')
    return { pattern: parseCron(spec.verification?.cron ?? '', `${metadata.namespace}/${metadata.name}/verification`), zone }
  } catch (error) {
    return { fault: `verification.cron: ${messageOf(error)}` }
  }
}
