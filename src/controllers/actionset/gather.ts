import type { ActionSet } from '../../api/actionset.ts'
import type { Blueprint } from '../../api/blueprint.ts'
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import { runName, type Fence, type Run } from '../../api/run.ts'
import { newRun } from '../../engine/new-run.ts'
import { planActionSet, type FindFunction, type Plan } from '../../engine/plan.ts'
import type { Kube } from '../../kube/kube.ts'
import { parseKey, type Live } from '../../kube/objects.ts'
import { ownKinds } from '../../kube/own-kinds.ts'
import type { Caches } from './caches.ts'
import { seemsTooLate, type View } from './decide.ts'
import { findForeign } from './foreign-backups.ts'
import type { WaitingLine } from './waiting-line.ts'
import { isSettled, isStripped } from './projection.ts'

export interface GatherDeps {
  readonly kube: Pick<Kube, 'resource'>
  readonly caches: Caches
  readonly findFunction: FindFunction
  readonly isGone: (fence: Fence) => boolean
  readonly line: Pick<WaitingLine, 'admitsNew' | 'verdictOn'>
  readonly clock: Clock
  /** ActionSets of imported backups of others, of all watched namespaces. */
  readonly imported: (signal: AbortSignal) => Promise<readonly Live<ActionSet>[]>
}

/** Reads everything under one key: from the caches, and from the server where a lagging cache would lead to something that cannot be undone. */
export async function gather(deps: GatherDeps, key: string, signal: AbortSignal): Promise<View | undefined> {
  const { caches, line, clock } = deps
  const base = { isGone: deps.isGone, verdictOn: (run: Live<Run>) => line.verdictOn(run), nowMs: clock.now() }
  const actionSet = caches.actionSet(key)
  const orphans = await confirmOrphans(deps, key, actionSet, signal)
  if (!actionSet) return { ...base, orphans }
  const run = await findRun(deps, actionSet, signal)
  if (run === 'settled') return orphans.length > 0 ? { ...base, orphans } : undefined
  if (run || hasState(actionSet)) return { ...base, actionSet, orphans, ...(run ? { run } : {}) }
  const current = await asItIs(deps, actionSet, signal)
  if (!current) return { ...base, orphans }
  const plan = await makePlan(deps, current, signal)
  if (!isRunnable(plan)) {
    // The answer to its create may have been lost, and it was sound then.
    const made = await askForRun(deps, current, signal)
    if (made) return { ...base, actionSet: current, orphans, run: made }
  }
  const admitted = isRunnable(plan) ? line.admitsNew(newRun(current, plan)) : undefined
  return { ...base, actionSet: current, orphans, plan, ...(admitted === undefined ? {} : { admitted }) }
}

/** A new ActionSet is seen by then. */
const lateMs = 5_000

/**
 * What is seen late, or could not be begun for a while, may have been deleted, cancelled or changed since: it does not begin as it was. What is seen
 * at once costs no read. Undefined when it is gone, or not to be begun any more.
 */
async function asItIs(deps: GatherDeps, actionSet: Live<ActionSet>, signal: AbortSignal): Promise<Live<ActionSet> | undefined> {
  const { uid, creationTimestamp, resourceVersion } = actionSet.metadata
  // Of two clocks either may be the one that is ahead.
  if (Math.abs(deps.clock.now() - Date.parse(creationTimestamp)) < lateMs) return actionSet
  const now = await deps.kube.resource(ownKinds.actionSets).find(actionSet.metadata, { signal })
  if (now?.metadata.uid !== uid) return undefined
  if (now.metadata.resourceVersion !== resourceVersion) deps.caches.wroteActionSet(now)
  // Somebody has begun it meanwhile: the next look asks for its Run.
  return hasState(now) ? undefined : now
}

function isRunnable({ findings, actions }: Plan): boolean {
  return findings.length === 0 && actions.length > 0
}

/** States that are not ours to begin. `pending` and none are. */
function hasState({ status }: ActionSet): boolean {
  return status?.state === 'running' || status?.state === 'complete' || status?.state === 'failed'
}

/** Unfinished Runs whose ActionSet is not this one. Their cancel cannot be undone, so the server is asked. */
async function confirmOrphans(
  deps: GatherDeps,
  key: string,
  known: Live<ActionSet> | undefined,
  signal: AbortSignal,
): Promise<Live<Run>[]> {
  const strangers = deps.caches.unfinishedRuns(key).filter((run) => run.spec.actionSet.uid !== known?.metadata.uid)
  if (strangers.every((run) => run.status.cancel)) return strangers
  const there = await deps.kube.resource(ownKinds.actionSets).find(parseKey(key), { signal })
  return strangers.filter((run) => run.spec.actionSet.uid !== there?.metadata.uid)
}

async function findRun(
  deps: GatherDeps,
  actionSet: Live<ActionSet>,
  signal: AbortSignal,
): Promise<Live<Run> | 'settled' | undefined> {
  const { namespace, uid } = actionSet.metadata
  const cached = deps.caches.run(namespace, runName(uid))
  if (cached && !isStripped(cached) && !seemsTooLate(actionSet, cached)) return cached
  if (cached && isStripped(cached) && (isSettled(actionSet) || deps.caches.isFinal(actionSet))) return 'settled'
  // Before an ActionSet is said to be not ours or its Run to be too late, and for the last status of a Run that ended unseen.
  if (cached || actionSet.status?.state === 'running') {
    return await askForRun(deps, actionSet, signal)
  }
  return undefined
}

async function askForRun(
  { kube, caches }: GatherDeps,
  { metadata: { namespace, uid } }: Live<ActionSet>,
  signal: AbortSignal,
): Promise<Live<Run> | undefined> {
  const run = await kube.resource(ownKinds.runs).find({ namespace, name: runName(uid) }, { signal })
  if (run && !caches.run(namespace, run.metadata.name)) caches.readRun(run)
  return run
}

async function makePlan(deps: GatherDeps, actionSet: Live<ActionSet>, signal: AbortSignal): Promise<Plan> {
  const { namespace } = actionSet.metadata
  const names = new Set((actionSet.spec?.actions ?? []).flatMap(({ blueprint }) => blueprint || []))
  const blueprints = new Map<string, Blueprint>()
  for (const name of names) {
    // By a read and not by a watch, which may be behind: a Blueprint that was mended just before its ActionSet was created would run as it was.
    const blueprint = await deps.kube.resource(ownKinds.blueprints).find({ namespace, name }, { signal })
    if (blueprint) blueprints.set(name, blueprint)
  }
  return await withoutForeign(deps, planOf(deps, actionSet, blueprints), signal)
}

function planOf({ findFunction }: GatherDeps, actionSet: Live<ActionSet>, blueprints: ReadonlyMap<string, Blueprint>): Plan {
  try {
    return planActionSet({ actionSet, blueprints, findFunction })
  } catch (error) {
    // Something that no API server should have let in. It fails itself only, and says so.
    const message = `this ActionSet or a Blueprint of it cannot be read: ${messageOf(error)}`
    return { findings: [{ stage: 'spec', message }], actions: [] }
  }
}

/** The same plan, with what would remove backups of others as findings. */
async function withoutForeign({ kube, imported, findFunction }: GatherDeps, plan: Plan, signal: AbortSignal): Promise<Plan> {
  if (plan.findings.length > 0) return plan
  const read = ({ metadata }: Live<ActionSet>): Promise<Live<ActionSet> | undefined> =>
    kube.resource(ownKinds.actionSets).find(metadata, { signal })
  const findings = await findForeign({ plan, findFunction, known: () => imported(signal), read })
  return { ...plan, findings }
}
