import { isDeepStrictEqual } from 'node:util'
import { names } from '../../src/api/names.ts'
import { runName, type Run, type RunAction, type RunPhase } from '../../src/api/run.ts'
import { isEnded } from '../../src/engine/machine.ts'
import { actionsOf, projectStatus } from '../../src/engine/project.ts'
import { ownKinds } from '../../src/kube/own-kinds.ts'
import type { OutsideWorld } from './outside-world.ts'
import { namespace, type DrawnAction, type DrawnActionSet, type DrawnPhase } from './scenario.ts'
import type { SimServer } from './sim-server.ts'

/** UIDs of the ActionSets that were created, by name. */
export type Created = ReadonlyMap<string, string>

/** True when nothing of an ActionSet is left to do, and its status says so. */
export function isOver(server: SimServer, created: Created, { name }: DrawnActionSet): boolean {
  const uid = created.get(name)
  if (uid === undefined) return false
  const run = server.read(ownKinds.runs, `${namespace}/${runName(uid)}`)
  const actionSet = server.read(ownKinds.actionSets, `${namespace}/${name}`)
  if (run && run.metadata.labels?.[names.unfinished] !== 'false') return false
  if (!actionSet) return true
  const { state } = actionSet.status ?? {}
  if (state !== 'complete' && state !== 'failed') return false
  if (!run || isDeepStrictEqual(actionSet.status, JSON.parse(JSON.stringify(projectStatus(run))))) return true
  // Refused, and then an operator that slept made a Run of it: nothing began.
  return state === 'failed' && actionsOf(run).every(({ launched, error }) => !launched && error?.code === 'RUN_CANCELLED')
}

/** What is wrong with how an ActionSet ended. `crowded`: whoever lost his place may not get another in time. */
export function judge(
  server: SimServer,
  world: OutsideWorld,
  created: Created,
  drawn: DrawnActionSet,
  crowded: boolean,
): string[] {
  const uid = created.get(drawn.name) ?? ''
  const run = server.read(ownKinds.runs, `${namespace}/${runName(uid)}`)
  if (!isOver(server, created, drawn)) return [`${drawn.name} did not come to its end: ${JSON.stringify(run?.status)}`]
  if (!run) return judgeWithoutRun(world, drawn)
  return actionsOf(run).flatMap((action, index) =>
    judgeAction(world, run, action, index, drawn, crowded).map((complaint) => `${drawn.name}/${index}: ${complaint}`),
  )
}

function judgeWithoutRun(world: OutsideWorld, { name, actions, cancelMs }: DrawnActionSet): string[] {
  const ran = actions.flatMap(phasesOf).filter(({ k }) => world.count(k) > 0)
  return [
    ...(cancelMs === undefined ? [`${name} has no Run although nobody cancelled it`] : []),
    ...ran.map(({ k }) => `${k} ran without a Run`),
  ]
}

function phasesOf({ phases, deferPhase }: DrawnAction): DrawnPhase[] {
  return deferPhase ? [...phases, deferPhase] : [...phases]
}

function judgeAction(
  world: OutsideWorld,
  run: Run,
  action: RunAction,
  index: number,
  drawn: DrawnActionSet,
  crowded: boolean,
): string[] {
  const written = drawn.actions[index] as DrawnAction
  const pairs = [
    ...written.phases.map((phase, at) => [phase, action.phases[at] as RunPhase] as const),
    ...(written.deferPhase ? [[written.deferPhase, action.deferPhase as RunPhase] as const] : []),
  ]
  return [
    ...pairs.flatMap(([phase, journal]) => judgeEffects(world, phase, journal)),
    ...judgeDeferred(world, action, written),
    ...judgeData(world, run, action, index, written),
    ...judgeOutcome(action, drawn, written, crowded),
  ]
}

/** Once, and once more for each retry; as often as it takes where the Blueprint lets a crash begin it anew. */
function mostOften({ func, resume, retry }: DrawnPhase): number {
  const guarded = func === 'Once' || func === 'Adopt' || resume === 'refuse'
  return guarded && resume !== 'restart' ? 1 + (retry?.limit ?? 0) : Infinity
}

function judgeEffects(world: OutsideWorld, drawn: DrawnPhase, phase: RunPhase): string[] {
  const { k, func, fail, hang } = drawn
  const count = world.count(k)
  return [
    ...(count > mostOften(drawn) ? [`${k} (${func}) happened ${count} times, ${mostOften(drawn)} at most are right`] : []),
    ...((phase.retries ?? 0) > (drawn.retry?.limit ?? 0) ? [`${k} was tried again ${phase.retries} times`] : []),
    ...(phase.state === 'complete' && count === 0 ? [`${k} is complete but never happened`] : []),
    ...(phase.state === 'complete' && (fail || hang) ? [`${k} is complete but cannot be`] : []),
    ...(phase.state === 'pending' && count > 0 ? [`${k} happened but never began`] : []),
    ...(phase.state === 'running' ? [`${k} still runs`] : []),
  ]
}

/** Once launched the deferred phase ran, whatever happened; else it did not. */
function judgeDeferred(world: OutsideWorld, action: RunAction, { deferPhase }: DrawnAction): string[] {
  if (!deferPhase) return []
  const { state, error } = action.deferPhase as RunPhase
  const count = world.count(deferPhase.k)
  if (!action.launched) return count === 0 && state === 'pending' ? [] : [`deferred phase ran although nothing was launched`]
  if (state === 'complete' && count > 0) return []
  const ranOrCould = count > 0 || error?.code === 'RUN_INTERRUPTED' || error?.code === 'RUN_TIMEOUT'
  return state === 'failed' && ranOrCould ? [] : [`deferred phase is ${state} and happened ${count} times: ${error?.message}`]
}

function judgeData(world: OutsideWorld, run: Run, action: RunAction, index: number, written: DrawnAction): string[] {
  const kept = Object.values(action.artifacts?.['kept']?.keyValue ?? {})
  const isData = (key: string): boolean => key.includes('/attempt-') || key.endsWith('/whole')
  const lost = kept.filter((key) => isData(key) && !world.data.has(key))
  const record = world.records.get(`${run.spec.actionSet.uid}-${index}`)
  const complete = action.state === 'complete'
  const saved = written.phases.filter(({ func }, at) => func === 'Save' && action.phases[at]?.state === 'complete')
  return [
    ...lost.map((key) => `artifact names ${key}, which is not there`),
    ...(complete && kept.length !== written.phases.length ? ['complete without its artifacts'] : []),
    ...(complete && action.record && !record ? ['complete, but its record is not there'] : []),
    ...(record && !complete ? [`has a record although it is ${action.state}`] : []),
    ...(record && !isDeepStrictEqual(record, kept) ? ['its record names other data than its artifacts'] : []),
    ...(complete ? saved.filter(({ k }) => !kept.some((key) => key.startsWith(`${k}/`))) : []).map(
      ({ k }) => `data of ${k} has no artifact`,
    ),
  ]
}

/** Faults of machines and networks alone fail nothing but what cannot be repeated. */
function judgeOutcome(action: RunAction, drawn: DrawnActionSet, written: DrawnAction, crowded: boolean): string[] {
  if (!isEnded(action)) return ['not ended']
  if (action.state === 'complete' || drawn.cancelMs !== undefined) return []
  if (phasesOf(written).some(({ fail, hang }) => fail || hang)) return []
  const failed = [...action.phases, action.deferPhase].find((phase) => phase?.error)
  if (failed?.error?.code === 'RUN_INTERRUPTED') return []
  // What loses its connections does its work again and again, maybe after a time in which nobody was there to do it.
  if (failed?.error?.code === 'RUN_TIMEOUT' && (crowded || phasesOf(written).some(({ loses }) => loses))) return []
  if (failed?.error?.code === 'RUN_TIMEOUT' && phasesOf(written).some(({ timeout }) => timeout !== undefined)) return []
  if (failed?.error?.code === 'KUBE_EXEC_LOST' && phasesOf(written).some((phase) => phase.loses && !canGoOn(phase))) return []
  // What a deadline, a crash or a lost connection took of the retries, what fails at first does not get.
  if ((failed?.warnings ?? []).some((warning) => /interrupted|did not end within|was lost/.test(warning))) return []
  if (drawn.sequential && !action.launched) return []
  return [`failed without a reason: ${JSON.stringify(failed ?? action.error)}`]
}

/** After a lost connection. */
function canGoOn({ func, resume }: DrawnPhase): boolean {
  return resume === 'restart' || (resume === undefined && func !== 'Once' && func !== 'Adopt')
}
