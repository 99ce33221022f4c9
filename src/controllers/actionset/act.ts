import { isDeepStrictEqual } from 'node:util'
import { actionSetKind, type ActionSet, type ActionSetStatus } from '../../api/actionset.ts'
import { blueprintKind } from '../../api/blueprint.ts'
import { apiVersionOf } from '../../api/kind.ts'
import { names } from '../../api/names.ts'
import { runName, type Run, type RunAction } from '../../api/run.ts'
import { toRfc3339, type Clock } from '../../base/clock.ts'
import { assertNever, messageOf } from '../../base/errors.ts'
import { pointerPart } from '../../base/json-pointer.ts'
import { endOfRun } from '../../engine/end-of-run.ts'
import type { NewRun } from '../../engine/new-run.ts'
import { actionsOf } from '../../engine/project.ts'
import { kubeError } from '../../kube/errors.ts'
import type { EventSink } from '../../kube/events.ts'
import type { Kube } from '../../kube/kube.ts'
import { keyOf, type Live } from '../../kube/objects.ts'
import { ownKinds } from '../../kube/own-kinds.ts'
import { jobId, type JobAdder } from '../../queue/queue.ts'
import type { Logger } from '../../telemetry/logger.ts'
import type { Caches } from './caches.ts'
import { isMarkedFinished, type Change, type Refusal, type View } from './decide.ts'
import { goesBack, isSettled } from './projection.ts'
import type { WrittenStatuses } from './written-statuses.ts'

export interface ActDeps {
  readonly kube: Pick<Kube, 'resource'>
  readonly queue: JobAdder
  readonly caches: Caches
  readonly events: EventSink
  readonly clock: Clock
  readonly log: Logger
  readonly statuses: WrittenStatuses
  /** When each job was added last; each sweep adds those again that an earlier one, or a change before it, added. */
  readonly added: Map<string, number>
  readonly sweepMs: number
}

/** What a change asks for afterwards: a further look at once, one after some time, or none. */
export type Afterwards = { readonly again: true } | { readonly afterMs: number } | undefined

export async function act(deps: ActDeps, view: View, change: Change, signal: AbortSignal): Promise<Afterwards> {
  switch (change.kind) {
    case 'create-run':
      return await createRun(deps, change.run, signal)
    case 'status':
      return await writeStatus(deps, view, change, signal)
    case 'cancel':
      return await patchRun(deps, change.run, cancelPatch(deps, change.why), signal)
    case 'drop-action':
      return await patchRun(deps, change.run, dropPatch(deps, change), signal)
    case 'free-action':
      deps.log.warn(
        { ActionSet: change.run.spec.actionSet.name, worker: actionOf(change).fence.owner },
        'worker is gone, its action is given to another',
      )
      return await patchRun(deps, change.run, freePatch(change), signal)
    case 'admit':
      return await patchRun(deps, change.run, admitPatch(change.run), signal)
    case 'hold':
      return await patchRun(deps, change.run, holdPatch(deps, change.run), signal)
    case 'approve':
      return await patchRun(deps, change.run, approvePatch(change), signal)
    case 'end-run':
      return await patchRun(deps, change.run, endOfRun(actionsOf(change.run), toRfc3339(deps.clock.now())), signal)
    case 'add-job':
      return await addJob(deps, change)
    default:
      return assertNever(change)
  }
}

async function createRun(deps: ActDeps, run: NewRun, signal: AbortSignal): Promise<Afterwards> {
  const runs = deps.kube.resource(ownKinds.runs)
  try {
    // The server fills in the rest of the metadata.
    deps.caches.wroteRun(await runs.create(run as Run, { signal }))
  } catch (error) {
    if (!kubeError.is(error, 'KUBE_ALREADY_EXISTS')) throw error
    const { namespace, name } = run.metadata
    deps.caches.wroteRun(await runs.get({ namespace, name }, { signal }))
  }
  return { again: true }
}

async function writeStatus(
  deps: ActDeps,
  { actionSet: known, run }: View,
  { status, why, warning }: Extract<Change, { kind: 'status' }>,
  signal: AbortSignal,
): Promise<Afterwards> {
  const { statuses, caches, log } = deps
  // Only a view with an ActionSet asks for a status.
  const actionSet = known as Live<ActionSet>
  const key = keyOf(actionSet)
  if (isDeepStrictEqual(actionSet.status, status) || statuses.isWritten(key, actionSet, status))
    return finishStatus(deps, actionSet, status, run)
  const waitMs = statuses.waitMs(key, status)
  if (waitMs > 0) return { afterMs: waitMs }
  if (run && goesBack(actionSet, status) && (await isOld(deps, run, signal))) return { again: true }
  const written = await patchStatus(deps, actionSet, status, signal)
  if (!written) return { afterMs: 20 }
  caches.wroteActionSet(written)
  statuses.wrote(key, written, status)
  log.debug({ ActionSet: actionSet.metadata.name, state: status.state, why }, 'status written')
  if (status.state === 'complete')
    tell(deps, written, {
      type: 'Normal',
      reason: 'Update Complete',
      message: `Updated ActionSet '${written.metadata.name}' Status->complete`,
    })
  if (warning) tellRefusal(deps, actionSet, warning)
  return finishStatus(deps, written, status, run)
}

/**
 * Whether the server has a later Run than ours, which is remembered then. An operator that has just handed over, or was asleep,
 * wrote a status from a Run that our watch has not shown yet: status must only go forward.
 */
async function isOld({ kube, caches }: ActDeps, run: Live<Run>, signal: AbortSignal): Promise<boolean> {
  const now = await kube.resource(ownKinds.runs).find(run.metadata, { signal })
  if (!now || now.metadata.resourceVersion === run.metadata.resourceVersion) return false
  caches.wroteRun(now)
  return true
}

/** What is remembered of a status is needed until nothing more comes after it. */
function finishStatus(
  { statuses, caches }: ActDeps,
  actionSet: Live<ActionSet>,
  status: ActionSetStatus,
  run: Live<Run> | undefined,
): undefined {
  if (run && isMarkedFinished(run)) caches.final(keyOf(actionSet), actionSet)
  else if (!isSettled({ status })) return undefined
  statuses.forget(keyOf(actionSet))
  caches.settled(`${actionSet.metadata.namespace ?? ''}/${runName(actionSet.metadata.uid)}`)
  return undefined
}

/** Undefined when the ActionSet changed or went away meanwhile: the watch will bring it again. */
async function patchStatus(
  deps: ActDeps,
  actionSet: Live<ActionSet>,
  status: ActionSetStatus,
  signal: AbortSignal,
): Promise<Live<ActionSet> | undefined> {
  const { namespace, name, uid, resourceVersion } = actionSet.metadata
  const patch = [
    { op: 'test', path: '/metadata/uid', value: uid },
    { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
    { op: 'add', path: '/status', value: status },
  ]
  const actionSets = deps.kube.resource(ownKinds.actionSets)
  try {
    return await actionSets.patch({ namespace, name }, patch, { type: 'json', signal })
  } catch (error) {
    if (!kubeError.is(error, 'KUBE_INVALID', 'KUBE_CONFLICT', 'KUBE_NOT_FOUND')) throw error
    const now = await actionSets.find({ namespace, name }, { signal })
    // Not a lagging cache: the server refuses this very status.
    if (now?.metadata.resourceVersion === resourceVersion) throw error
    if (now) deps.caches.wroteActionSet(now)
    return undefined
  }
}

/** Our decision was made on a state that may be old: every patch tests what it was based on, and a refusal means to look again. */
async function patchRun(deps: ActDeps, run: Live<Run>, patch: readonly object[], signal: AbortSignal): Promise<Afterwards> {
  const { namespace, name } = run.metadata
  const runs = deps.kube.resource(ownKinds.runs)
  try {
    deps.caches.wroteRun(await runs.patch({ namespace, name }, patch, { type: 'json', signal }))
    return { again: true }
  } catch (error) {
    if (!kubeError.is(error, 'KUBE_INVALID', 'KUBE_CONFLICT', 'KUBE_NOT_FOUND')) throw error
    const now = await runs.find({ namespace, name }, { signal })
    if (now?.metadata.resourceVersion === run.metadata.resourceVersion) throw error
    if (now) deps.caches.wroteRun(now)
    return { again: true }
  }
}

function cancelPatch({ clock }: ActDeps, reason: string): object[] {
  return [
    { op: 'add', path: '/status/cancel', value: { reason, at: toRfc3339(clock.now()) } },
    { op: 'add', path: `/metadata/labels/${pointerPart(names.cancel)}`, value: 'true' },
  ]
}

type OnAction<Kind extends Change['kind']> = Extract<Change, { kind: Kind }>

function actionOf({ run, actionIndex }: { readonly run: Run; readonly actionIndex: number }): RunAction {
  return actionsOf(run)[actionIndex] as RunAction
}

function admitPatch(run: Live<Run>): object[] {
  return [
    { op: 'test', path: '/status/held/since', value: run.status.held?.since },
    { op: 'remove', path: '/status/held' },
  ]
}

/** Refused when a worker took one of the actions meanwhile: what has begun is not stopped for its order. */
function holdPatch({ clock }: ActDeps, run: Live<Run>): object[] {
  return [...allFences(run), { op: 'add', path: '/status/held', value: { since: toRfc3339(clock.now()) } }]
}

function approvePatch(change: OnAction<'approve'>): object[] {
  const at = `/status/actions/${change.actionIndex}/phases/${change.phaseIndex}`
  return [...fenceTest(change), { op: 'add', path: `${at}/approved`, value: true }]
}

/** Nothing was done outside, so no deferred phase has to run. */
function dropPatch({ clock }: ActDeps, change: OnAction<'drop-action'>): object[] {
  const { run, actionIndex, why } = change
  const action = actionOf(change)
  const now = toRfc3339(clock.now())
  const cancelled = run.status.cancel !== undefined
  const code = cancelled ? 'RUN_CANCELLED' : change.code
  const error = { message: why, ...(code ? { code } : {}) }
  // A worker that is about to take the action tests the fence as it was: it must not find it.
  const fence = { owner: '', instance: '', attempt: action.fence.attempt + 1 }
  const dropped: RunAction = { ...action, fence, state: 'failed', error, endedAt: now, ...(cancelled ? { cancelled } : {}) }
  const all = actionsOf(run).map((other, index) => (index === actionIndex ? dropped : other))
  const ended = all.every(({ state }) => state === 'complete' || state === 'failed')
  return [
    // What waited too long has waited as a whole.
    ...(change.code ? allFences(run) : fenceTest(change)),
    { op: 'replace', path: `/status/actions/${actionIndex}`, value: dropped },
    ...(ended ? endOfRun(all, now) : []),
  ]
}

function freePatch(change: OnAction<'free-action'>): object[] {
  const { fence, dispatch, state } = actionOf(change)
  const at = `/status/actions/${change.actionIndex}`
  return [
    ...fenceTest(change),
    // It may have ended by its owner's last write, and nothing changes after the end.
    { op: 'test', path: `${at}/state`, value: state },
    { op: 'replace', path: `${at}/fence`, value: { owner: '', instance: '', attempt: fence.attempt + 1 } },
    { op: 'replace', path: `${at}/dispatch`, value: dispatch + 1 },
  ]
}

function allFences(run: Run): object[] {
  return run.spec.actions.flatMap((_, actionIndex) => fenceTest({ run, actionIndex }))
}

function fenceTest(change: { readonly run: Run; readonly actionIndex: number }): object[] {
  const { owner, instance, attempt } = actionOf(change).fence
  const at = `/status/actions/${change.actionIndex}/fence`
  return [
    { op: 'test', path: `${at}/attempt`, value: attempt },
    { op: 'test', path: `${at}/owner`, value: owner },
    { op: 'test', path: `${at}/instance`, value: instance },
  ]
}

/** A job that waits or is worked on is not added twice; one that was lost comes back with the next sweep. */
async function addJob(
  { queue, added, clock, sweepMs }: ActDeps,
  { run, actionIndex, lane }: OnAction<'add-job'>,
): Promise<Afterwards> {
  const { dispatch } = actionOf({ run, actionIndex })
  const id = jobId(run.spec.actionSet.uid, actionIndex, dispatch)
  const last = added.get(id)
  if (last !== undefined && clock.now() - last < sweepMs * 0.9) return undefined
  const { namespace, name } = run.metadata
  await queue.add(id, { namespace: namespace ?? '', runName: name, actionIndex, dispatch }, { priority: lane })
  added.set(id, clock.now())
  return undefined
}

function tellRefusal(deps: ActDeps, actionSet: Live<ActionSet>, { reason, message }: Refusal): void {
  const note = { type: 'Warning', reason, message } as const
  tell(deps, actionSet, note)
  const blueprint = actionSet.spec?.actions?.[0]?.blueprint
  if (!blueprint) return
  const { namespace } = actionSet.metadata
  deps.events.send({ apiVersion: apiVersionOf(blueprintKind), kind: 'Blueprint', namespace, name: blueprint }, note)
}

function tell({ events, log }: ActDeps, actionSet: Live<ActionSet>, note: Parameters<EventSink['send']>[1]): void {
  const { namespace, name, uid } = actionSet.metadata
  try {
    events.send({ apiVersion: apiVersionOf(actionSetKind), kind: 'ActionSet', namespace, name, uid }, note)
  } catch (error) {
    log.debug({ error: messageOf(error) }, 'Event not sent')
  }
}
