import { mapBounded } from '../../base/semaphore.ts'
import type { Kube } from '../../kube/kube.ts'
import { keyOf } from '../../kube/objects.ts'
import { ownKinds } from '../../kube/own-kinds.ts'
import { actionSetKeyOf, type Caches } from './caches.ts'
import { isMarkedFinished } from './decide.ts'
import { isSettled } from './projection.ts'

/** At most so many go in one round: a first start beside ten thousand of them must not flood the API server. */
const roundLimit = 200

/**
 * Removes Runs that ended before `endedBeforeMs`. By then everything they could tell is in the status of their ActionSet, or
 * the ActionSet is gone. Without its Run an ActionSet that has ended still never runs again: its state says so.
 */
export async function removeOldRuns(
  kube: Pick<Kube, 'resource'>,
  caches: Caches,
  endedBeforeMs: number,
  signal: AbortSignal,
): Promise<number> {
  const old = caches.runs.list().filter((run) => {
    if (!isMarkedFinished(run) || !(Date.parse(run.status.endedAt ?? '') < endedBeforeMs)) return false
    const actionSet = caches.actionSet(actionSetKeyOf(run))
    return actionSet?.metadata.uid !== run.spec.actionSet.uid || isSettled(actionSet)
  })
  const runs = kube.resource(ownKinds.runs)
  const round = old.slice(0, roundLimit)
  await mapBounded(round, 4, async ({ metadata }) => await runs.delete(metadata, { uid: metadata.uid, signal }), signal)
  for (const run of round) caches.settled(keyOf(run))
  return round.length
}
