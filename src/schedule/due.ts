import { nextSlot, slotsBetween, type Timetable } from './slots.ts'

export const concurrencyPolicies = ['Forbid', 'Allow', 'Replace'] as const
export type ConcurrencyPolicy = (typeof concurrencyPolicies)[number]

export const missedRunPolicies = ['Once', 'Skip'] as const
export type MissedRunPolicy = (typeof missedRunPolicies)[number]

export interface DueQuestion extends Timetable {
  readonly now: number
  /** The last slot that was run or skipped; where there is none, when the object came under the schedule. */
  readonly handled: number
  /** Each object's slots are this much after the pattern's, see `spreadDelay`. */
  readonly delayMs: number
  /** A slot later than this is not run any more. Infinity: however late. */
  readonly startingDeadlineMs: number
  readonly missedRuns: MissedRunPolicy
  readonly concurrency: ConcurrencyPolicy
  /** A run of an earlier slot has not ended. */
  readonly isRunning: boolean
  /** Why nothing may run at all now (`the schedule is suspended`, `scaled to zero`). */
  readonly hold?: string
}

export interface DueAnswer {
  /** The slot to run now. */
  readonly run?: number
  /** Runs that have not ended are to be cancelled first. */
  readonly replace?: true
  /** Slots that are passed over: how many (of more than a thousand: at least), the last of them, and why. Never silently. */
  readonly skipped?: { readonly count: number; readonly last: number; readonly why: string }
  /** The latest slot that is settled by this answer; equal to `handled` when nothing was due. */
  readonly handled: number
  /** When to ask again. */
  readonly next: number | undefined
}

/** A few are still worth a run after a short absence of the engine; with `Skip`, later ones are not. */
const onTimeMs = 60_000
/** Whoever was further ahead had a wrong clock, and would keep every run away until it is right. */
const farAheadMs = 24 * 3_600_000
/** More missed slots are not counted one by one: a schedule of minutes after a month would keep the engine busy. */
const countedAtMost = 1_000

/**
 * What of a schedule is due now. However many slots were missed, at most one runs: the latest, since a backup of now serves them all.
 * A clock that was set back asks for nothing until it has caught up, so no slot runs twice; one that was a day ahead or more begins anew, and
 * what has the name of a slot that it ran is met again.
 */
export function decideDue(question: DueQuestion): DueAnswer {
  const { now, delayMs } = question
  const handled = question.handled - now > farAheadMs ? now : question.handled
  const shift = (slot: number): number => slot + delayMs
  const due = dueSlots({ ...question, handled }, now - delayMs)
  const last = due.at(-1)
  const following = nextSlot(question, last ?? handled)
  const next = following === undefined ? undefined : shift(following)
  if (last === undefined) return { handled, next }
  const lateMs = now - shift(last)
  const no = refusal(question, lateMs)
  if (no !== undefined) return { handled: last, next, skipped: { count: due.length, last, why: no } }
  const earlier = due.at(-2)
  return {
    run: last,
    handled: last,
    next,
    ...(question.isRunning && question.concurrency === 'Replace' ? { replace: true as const } : {}),
    ...(earlier === undefined
      ? {}
      : { skipped: { count: due.length - 1, last: earlier, why: 'the engine was not there; the latest slot runs for them' } }),
  }
}

/** The slots since the last one that was settled; of very many the oldest, and the latest. */
function dueSlots(question: DueQuestion, until: number): number[] {
  const due: number[] = []
  for (const slot of slotsBetween(question, question.handled, until)) {
    if (due.length === countedAtMost) return [...due, latestSlot(question, slot, until)]
    due.push(slot)
  }
  return due
}

/** The last slot from `slot` on up to `until`, looked for from the end in steps that grow, so that few slots are gone through. */
function latestSlot(timetable: Timetable, slot: number, until: number): number {
  for (const hours of [2, 48, 24 * 62, 24 * 366]) {
    const latest = [...slotsBetween(timetable, Math.max(slot, until - hours * 3_600_000), until)].at(-1)
    if (latest !== undefined) return latest
  }
  return slot
}

function refusal(question: DueQuestion, lateMs: number): string | undefined {
  const { hold, startingDeadlineMs, missedRuns, concurrency, isRunning } = question
  if (hold !== undefined) return hold
  if (lateMs > startingDeadlineMs) return `it is ${inWords(lateMs)} late, more than its starting deadline`
  if (missedRuns === 'Skip' && lateMs > onTimeMs) return `it is ${inWords(lateMs)} late and missed runs are not made up for`
  if (isRunning && concurrency === 'Forbid') return 'the run before it has not ended'
  return undefined
}

function inWords(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  if (minutes < 120) return `${minutes} min`
  return minutes < 2_880 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1_440)} days`
}
