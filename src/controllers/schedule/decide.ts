import type { ActionSet } from '../../api/actionset.ts'
import { apiVersionOf } from '../../api/kind.ts'
import { actionSetKind } from '../../api/actionset.ts'
import { names } from '../../api/names.ts'
import type { Schedule, ScheduledObject, ScheduleStatus } from '../../api/schedule.ts'
import { decideDue, type DueAnswer } from '../../schedule/due.ts'
import { slotsBetween } from '../../schedule/slots.ts'
import { slotName } from '../../schedule/slot-name.ts'
import type { Target } from './targets.ts'
import { specHash } from '../runtime/spec-hash.ts'
import { readTiming, type Timing } from './timing.ts'

/** Everything that bears on one Schedule, read at one time. */
export interface View {
  readonly schedule: Schedule
  readonly targets: readonly Target[]
  /** An ActionSet of the Schedule's namespace, by name. */
  readonly findActionSet: (name: string) => ActionSet | undefined
  /** The ActionSet of the latest slot that this Schedule has for an object, by key of the object. */
  readonly findNewest: (objectKey: string) => ActionSet | undefined
  readonly now: number
}

/** What becomes of one object. */
export interface Turn {
  readonly target: Target
  /** Its state in status so far; absent for one that has just come under the Schedule. */
  readonly before?: ScheduledObject
  /** Its state once what follows is done. */
  readonly after: ScheduledObject
  readonly create?: ScheduledActionSet
  /** Names of ActionSets to cancel first. */
  readonly cancel: readonly string[]
  readonly skipped?: NonNullable<DueAnswer['skipped']>
  /** When its next slot is to be settled, epoch ms; also while nothing may start, so that slots in that time are not made up for. */
  readonly next?: number
}

/** As it is sent: the server fills in the rest of the metadata. */
export type ScheduledActionSet = Omit<ActionSet, 'metadata'> & {
  readonly metadata: {
    readonly name: string
    readonly namespace: string
    readonly labels: Readonly<Record<string, string>>
    readonly annotations: Readonly<Record<string, string>>
  }
}

export interface Decision {
  readonly turns: readonly Turn[]
  /** Why nothing can run, for status. */
  readonly fault?: string
  /** When to look again although nothing changed, epoch ms. */
  readonly next?: number
}

/** Status is one object of the API server, which takes 1.5 MB. */
export const mostObjects = 2_000

/** What to start, to cancel and to pass over now. Pure. */
export function decide({ schedule, targets, findActionSet, findNewest, now }: View): Decision {
  const fault = faultOf(schedule, targets)
  if (fault !== undefined) return { turns: [], fault }
  const timing = readTiming(schedule)
  if ('fault' in timing) return { turns: [], fault: timing.fault }
  const known = schedule.status?.objects ?? {}
  const isObserved = schedule.status?.observed === specHash(schedule.spec)
  const turns = targets.map((target) => {
    const of = { before: known[target.key], newest: findNewest(target.key) }
    return turnOf({ schedule, target, timing, isObserved, findActionSet, now, ...of })
  })
  const next = turns.reduce((first, turn) => Math.min(first, turn.next ?? Infinity), Infinity)
  return { turns, ...(next === Infinity ? {} : { next }) }
}

function faultOf({ metadata, spec }: Schedule, targets: readonly Target[]): string | undefined {
  if (metadata.name.length > 63) return 'the name is longer than 63 characters, which a label does not hold; use a shorter one'
  if (!spec.action?.blueprint && targets.some(({ blueprint }) => blueprint === undefined))
    return `action.blueprint is not set, and not every object names one by the annotation ${names.blueprint}`
  if (targets.length > mostObjects)
    return `${targets.length} objects are under this Schedule, at most ${mostObjects} can be; use several Schedules with narrower selectors`
  return undefined
}

interface TurnQuestion {
  readonly schedule: Schedule
  readonly target: Target
  readonly timing: Timing
  /** Status is of the spec as it is now. */
  readonly isObserved: boolean
  readonly before: ScheduledObject | undefined
  readonly findActionSet: View['findActionSet']
  readonly newest: ActionSet | undefined
  readonly now: number
}

function turnOf(question: TurnQuestion): Turn {
  const { schedule, target, timing, before, findActionSet, now } = question
  // One that has just come under the Schedule waits for its next slot.
  const known = withOutcome(withMade(before ?? { since: iso(now), handled: iso(now) }, question), findActionSet)
  const asleep = question.isObserved ? sleepsUntil(before, now) : undefined
  if (before && asleep !== undefined) return { target, before, after: known, cancel: [], next: asleep }
  const last = known.last
  const isRunning = last !== undefined && (last.state === 'pending' || last.state === 'running')
  const hold = holdOf(schedule, target)
  const answer = decideDue({
    ...timing.timetable(target.key),
    now,
    handled: Date.parse(known.handled),
    delayMs: timing.delayMs(target.key),
    startingDeadlineMs: timing.startingDeadlineMs,
    missedRuns: timing.missedRuns,
    concurrency: timing.concurrency,
    isRunning,
    ...(hold === undefined ? {} : { hold }),
  })
  const create = answer.run === undefined ? undefined : actionSetOf(schedule, target, answer.run)
  const after: ScheduledObject = {
    ...known,
    handled: iso(answer.handled),
    ...(answer.skipped ? { skipped: addSkipped(known.skipped, answer.skipped) } : {}),
    ...(create && answer.run !== undefined
      ? { last: { actionSet: create.metadata.name, slot: iso(answer.run), state: 'pending' } }
      : {}),
  }
  return {
    target,
    ...(before ? { before } : {}),
    after: withNext(after, schedule.spec.suspend ? undefined : answer.next),
    ...(create ? { create } : {}),
    cancel: answer.replace && last ? [last.actionSet] : [],
    ...(answer.skipped ? { skipped: answer.skipped } : {}),
    ...(answer.next === undefined ? {} : { next: answer.next }),
  }
}

/**
 * When the object is next to be looked at, if an earlier look at the same spec has said so and it is not yet time: most objects at most
 * looks, so that a thousand of them cost a look nothing.
 */
function sleepsUntil(before: ScheduledObject | undefined, now: number): number | undefined {
  if (before?.next === undefined) return undefined
  const next = Date.parse(before.next)
  // Not when the clock was set back by more than the slots are apart.
  return now < next && now >= Date.parse(before.handled) ? next : undefined
}

function holdOf({ spec }: Schedule, { replicas }: Target): string | undefined {
  if (spec.suspend) return 'the Schedule is suspended'
  if (replicas === 0 && spec.scaledToZero !== 'Run') return 'it is scaled to zero'
  return undefined
}

/**
 * An engine that was killed between the ActionSet and the status has run a slot that status does not know of. By now that slot may be
 * held, or too late, so it is not enough that its name would be met again.
 */
function withMade(known: ScheduledObject, { schedule, target, timing, newest, now }: TurnQuestion): ScheduledObject {
  const slot = Date.parse(newest?.metadata.annotations?.[names.slot] ?? '')
  const handled = Date.parse(known.handled)
  if (!newest || !(slot > handled && slot <= now)) return known
  if (newest.metadata.name !== slotName(schedule.metadata.name, target.key, slot)) return known
  const missed = [...slotsBetween(timing.timetable(target.key), handled, slot - 1).take(1_000)]
  const last = missed.at(-1)
  const skipped =
    last === undefined ? undefined : addSkipped(known.skipped, { count: missed.length, last, why: 'the engine was not there' })
  return {
    ...known,
    handled: iso(slot),
    last: { actionSet: newest.metadata.name, slot: iso(slot), state: 'pending' },
    ...(skipped ? { skipped } : {}),
  }
}

/** What the last ActionSet says by now. */
function withOutcome(known: ScheduledObject, findActionSet: View['findActionSet']): ScheduledObject {
  const { last } = known
  if (!last || last.state === 'complete' || last.state === 'failed' || last.state === 'gone') return known
  const actionSet = findActionSet(last.actionSet)
  const state = actionSet ? (actionSet.status?.state ?? 'pending') : 'gone'
  const changed = { ...known, last: { ...last, state } }
  if (state === 'complete') {
    const { lastFailure: _over, ...rest } = changed
    return { ...rest, lastSuccess: actionSet?.metadata.creationTimestamp ?? last.slot }
  }
  if (state !== 'failed' && state !== 'gone') return changed
  const message = actionSet?.status?.error?.message ?? 'the ActionSet was removed before it ended'
  return { ...changed, lastFailure: { at: last.slot, actionSet: last.actionSet, message: message.slice(0, 300) } }
}

function addSkipped(
  known: ScheduledObject['skipped'],
  { count, last, why }: NonNullable<DueAnswer['skipped']>,
): NonNullable<ScheduledObject['skipped']> {
  return { count: (known?.count ?? 0) + count, at: iso(last), why }
}

function withNext({ next: _before, ...known }: ScheduledObject, next: number | undefined): ScheduledObject {
  return next === undefined ? known : { ...known, next: iso(next) }
}

function actionSetOf({ metadata, spec }: Schedule, target: Target, slot: number): ScheduledActionSet {
  const { action = {} } = spec
  const blueprint = target.blueprint ?? action.blueprint
  return {
    apiVersion: apiVersionOf(actionSetKind),
    kind: 'ActionSet',
    metadata: {
      name: slotName(metadata.name, target.key, slot),
      namespace: metadata.namespace,
      labels: { [names.schedule]: metadata.name },
      annotations: { [names.slot]: iso(slot), [names.scheduledObject]: target.key },
    },
    spec: {
      actions: [
        { ...action, name: action.name ?? 'backup', object: target.object, ...(blueprint === undefined ? {} : { blueprint }) },
      ],
    },
  }
}

/** The whole status from the turns that were carried out. */
export function statusOf(schedule: Schedule, { turns, fault }: Pick<Decision, 'turns' | 'fault'>): ScheduleStatus {
  const objects =
    fault === undefined ? Object.fromEntries(turns.map(({ target, after }) => [target.key, after])) : schedule.status?.objects
  const all = Object.values(objects ?? {})
  const times = (pick: (object: ScheduledObject) => string | undefined): string[] =>
    all.flatMap((object) => pick(object) ?? []).toSorted()
  const successes = times(({ lastSuccess }) => lastSuccess)
  const never = all.length - successes.length
  return {
    observed: specHash(schedule.spec),
    message: fault ?? (all.length === 0 ? 'no object is under this Schedule' : ''),
    objectCount: all.length,
    neverSucceeded: never,
    ...some('nextRun', fault === undefined ? times(({ next }) => next).at(0) : undefined),
    ...some('lastSuccess', successes.at(-1)),
    ...some('lastFailure', times(({ lastFailure }) => lastFailure?.at).at(-1)),
    ...some('oldestSuccess', never === 0 ? successes.at(0) : undefined),
    ...(objects ? { objects } : {}),
    // Written by others, one field each.
    ...(schedule.status?.retention ? { retention: schedule.status.retention } : {}),
    ...(schedule.status?.verification && schedule.spec.verification ? { verification: schedule.status.verification } : {}),
  }
}

function some<Key extends string>(key: Key, value: string | undefined): { readonly [key in Key]?: string } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [key in Key]?: string })
}

function iso(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}
