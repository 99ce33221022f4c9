import { isDeepStrictEqual } from 'node:util'
import type { ActionSet } from '../../api/actionset.ts'
import { names } from '../../api/names.ts'
import { scheduleKind, type Schedule, type ScheduleStatus } from '../../api/schedule.ts'
import { messageOf } from '../../base/errors.ts'
import { kubeError } from '../../kube/errors.ts'
import type { EventSink } from '../../kube/events.ts'
import type { Kube } from '../../kube/kube.ts'
import type { Live } from '../../kube/objects.ts'
import { ownKinds } from '../../kube/own-kinds.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { patchUnchanged } from '../runtime/patch-unchanged.ts'
import { tell } from '../runtime/tell.ts'
import { statusOf, type Decision, type ScheduledActionSet, type Turn } from './decide.ts'

export interface ScheduleActDeps {
  readonly kube: Pick<Kube, 'resource'>
  readonly events: EventSink
  readonly log: Logger
  /** Called with each ActionSet that was made, or found to be made already. */
  readonly onCreated: (actionSet: Live<ActionSet>) => void
}

const createsAtOnce = 8

/**
 * Makes and cancels ActionSets, then writes down what was done. In this order: names are derived from slots, so a crash between the two
 * finds the same ActionSets again. What could not be done stays as it was, so that it is due at the next look; the first reason is thrown
 * when everything else is written. False: the Schedule changed meanwhile, so it is to be looked at again.
 */
export async function act(
  deps: ScheduleActDeps,
  schedule: Live<Schedule>,
  decision: Decision,
  signal: AbortSignal,
): Promise<boolean> {
  const failures: unknown[] = []
  const done: Turn[] = []
  for (let at = 0; at < decision.turns.length;) {
    const batch = nextBatch(decision.turns, at)
    done.push(...(await Promise.all(batch.map((turn) => carryOut(deps, schedule, turn, failures, signal)))))
    at += batch.length
  }
  const isWritten = await writeStatus(deps, schedule, statusOf(schedule, { ...decision, turns: done }), signal)
  if (failures.length > 0) throw failures[0]
  return isWritten
}

/** As many turns as have so many requests between them; those without any come for nothing. */
function nextBatch(turns: readonly Turn[], from: number): readonly Turn[] {
  let requests = 0
  let end = from
  while (end < turns.length && requests < createsAtOnce) if (turns[end++]?.create) requests += 1
  return turns.slice(from, end)
}

async function carryOut(
  deps: ScheduleActDeps,
  schedule: Live<Schedule>,
  turn: Turn,
  failures: unknown[],
  signal: AbortSignal,
): Promise<Turn> {
  const { create, cancel, skipped, target } = turn
  try {
    for (const name of cancel) await cancelActionSet(deps, schedule, name, signal)
    if (create) await createActionSet(deps, schedule, create, signal)
    if (skipped && !schedule.spec.suspend) {
      const slots = skipped.count === 1 ? 'a slot' : `${skipped.count} slots`
      const at = new Date(skipped.last).toISOString()
      tell(deps, scheduleKind, schedule, {
        type: 'Warning',
        reason: 'SlotSkipped',
        message: `${target.key}: ${slots} up to ${at} passed over: ${skipped.why}`,
      })
    }
    return turn
  } catch (error) {
    signal.throwIfAborted()
    failures.push(error)
    const before = turn.before
    // Without an earlier state the object is as one that has just come.
    return before ? { ...turn, after: before } : turn
  }
}

async function createActionSet(
  deps: ScheduleActDeps,
  schedule: Live<Schedule>,
  wanted: ScheduledActionSet,
  signal: AbortSignal,
): Promise<void> {
  const actionSets = deps.kube.resource(ownKinds.actionSets)
  try {
    deps.onCreated(await actionSets.create(wanted as ActionSet, { signal }))
  } catch (error) {
    if (kubeError.is(error, 'KUBE_INVALID')) return tellFailure(deps, schedule, wanted, error)
    if (!kubeError.is(error, 'KUBE_ALREADY_EXISTS')) throw error
    const found = await actionSets.get({ namespace: wanted.metadata.namespace, name: wanted.metadata.name }, { signal })
    if (isOurs(found, wanted)) deps.onCreated(found)
    else tellFailure(deps, schedule, wanted, new Error('an ActionSet of this name is there that this Schedule did not make'))
  }
}

/** Somebody else's ActionSet of that name is left alone: the slot passes, and that is said. */
function tellFailure(deps: ScheduleActDeps, schedule: Live<Schedule>, wanted: ScheduledActionSet, error: unknown): void {
  tell(deps, scheduleKind, schedule, {
    type: 'Warning',
    reason: 'SlotFailed',
    message: `ActionSet ${wanted.metadata.name} could not be made: ${messageOf(error)}`,
  })
}

function isOurs({ metadata }: Live<ActionSet>, wanted: ScheduledActionSet): boolean {
  return (
    metadata.labels?.[names.schedule] === wanted.metadata.labels[names.schedule] &&
    metadata.annotations?.[names.slot] === wanted.metadata.annotations[names.slot]
  )
}

async function cancelActionSet(
  deps: ScheduleActDeps,
  schedule: Live<Schedule>,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const patch = { metadata: { annotations: { [names.cancel]: 'true' } } }
  try {
    await deps.kube.resource(ownKinds.actionSets).patch({ namespace: schedule.metadata.namespace, name }, patch, { signal })
  } catch (error) {
    if (!kubeError.is(error, 'KUBE_NOT_FOUND')) throw error
  }
}

/** Tests that the Schedule is the one that was decided on. When it is not, false: what was done is found again by its names. */
async function writeStatus(
  deps: ScheduleActDeps,
  schedule: Live<Schedule>,
  status: ScheduleStatus,
  signal: AbortSignal,
): Promise<boolean> {
  if (isDeepStrictEqual(schedule.status, status)) return true
  const operations = [{ op: 'add', path: '/status', value: status }]
  return await patchUnchanged(deps.kube.resource(ownKinds.schedules), schedule, operations, signal)
}
