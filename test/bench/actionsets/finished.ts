import type { Run } from '../../../src/api/run.ts'
import { mapBounded } from '../../../src/base/semaphore.ts'
import { newRun } from '../../../src/engine/new-run.ts'
import { planActionSet } from '../../../src/engine/plan.ts'
import { projectStatus } from '../../../src/engine/project.ts'
import { getFunction } from '../../../src/functions/registry.ts'
import { names } from '../../../src/api/names.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'
import { startEngine } from './engine.ts'
import { median, type Figures } from './figures.ts'
import { actionSetIn, type Place } from './place.ts'

/** Starts of the operator beside many ActionSets that have ended, each with its Run, and what a new one waits then. */
export async function measureFinished(place: Place, bundle: string, count: number): Promise<Figures> {
  await fill(place, count)
  const worker = await startEngine(place, bundle, 'worker')
  let operator = await startEngine(place, bundle, 'operator')
  try {
    const first = await place.run('first')
    const readyMs: number[] = []
    for (let index = 0; index < 3; index++) {
      // As a crash does: nothing is given back.
      await operator.stop('SIGKILL')
      operator = await startEngine(place, bundle, 'operator')
      readyMs.push(operator.readyMs)
    }
    const afterRestart = await place.run('after-restart')
    const more: number[] = []
    for (let index = 0; index < 9; index++) more.push(await place.run(`more-${index}`))
    return {
      finished: count,
      finishedFirstMs: first,
      finishedAfterRestartMs: afterRestart,
      finishedNewMs: median(more),
      finishedNewAimMs: 1000,
      finishedReadyMs: median(readyMs),
      finishedReadyAimMs: 10_000,
      finishedOperatorMB: operator.residentMB(),
      finishedOperatorPeakMB: operator.peakMB(),
      finishedOperatorAimMB: 250,
    }
  } finally {
    await operator.stop()
    await worker.stop()
  }
}

/** Ended an hour ago, so their Runs are still kept. */
async function fill({ kube, namespace }: Place, count: number): Promise<void> {
  const actionSets = kube.resource(ownKinds.actionSets)
  const runs = kube.resource(ownKinds.runs)
  const blueprint = await kube.resource(ownKinds.blueprints).get({ namespace, name: 'bp' })
  const endedAt = new Date(Date.now() - 3_600_000).toISOString()
  await mapBounded([...Array(count).keys()], 24, async (index) => {
    const made = actionSetIn(namespace, `old-${index}`, 'true')
    const unlabelled = { ...made, metadata: { ...made.metadata, labels: {} } }
    const plan = planActionSet({ actionSet: unlabelled, blueprints: new Map([['bp', blueprint]]), findFunction: getFunction })
    const ended = endedRun(newRun({ ...unlabelled, metadata: { ...unlabelled.metadata, uid: '' } }, plan) as Run, endedAt)
    const { metadata } = await actionSets.create({ ...unlabelled, status: projectStatus(ended) })
    const own = newRun({ ...unlabelled, metadata }, plan)
    const labels = { ...own.metadata.labels, [names.unfinished]: 'false' }
    const stored = { ...own, metadata: { ...own.metadata, labels }, status: ended.status }
    // The server fills in the rest of the metadata.
    await runs.create(stored as unknown as Run)
  })
}

function endedRun(run: Run, endedAt: string): Run {
  const action = run.status.actions['0'] as Run['status']['actions'][string]
  const phases = action.phases.map((phase) => ({ ...phase, state: 'complete' as const, startedAt: endedAt, endedAt }))
  const ended = { ...action, state: 'complete' as const, launched: true, phases, startedAt: endedAt, endedAt }
  return { ...run, status: { ...run.status, state: 'complete', actions: { 0: ended }, endedAt } }
}
