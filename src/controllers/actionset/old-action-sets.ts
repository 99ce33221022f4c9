import type { ActionSet } from '../../api/actionset.ts'
import { runName } from '../../api/run.ts'
import { mapBounded } from '../../base/semaphore.ts'
import { kubeError } from '../../kube/errors.ts'
import type { Kube } from '../../kube/kube.ts'
import { keyOf, type Live } from '../../kube/objects.ts'
import { ownKinds } from '../../kube/own-kinds.ts'
import type { Caches } from './caches.ts'
import { isSettled, remainsIn } from './projection.ts'
import { decideRemovals, type RemovalPolicy } from './removal.ts'

/** At most so many go in one round. */
const roundLimit = 200

/** Removes ActionSets that have ended and may go. Their Runs go by themselves, some time after their end. */
export async function removeOldActionSets(
  kube: Pick<Kube, 'resource'>,
  caches: Caches,
  { policy, nowMs, signal }: { readonly policy: RemovalPolicy; readonly nowMs: number; readonly signal: AbortSignal },
): Promise<number> {
  const ended = caches.actionSets.list().flatMap((actionSet) => endedOne(caches, actionSet))
  const round = decideRemovals(ended, policy, nowMs).slice(0, roundLimit)
  const actionSets = kube.resource(ownKinds.actionSets)
  await mapBounded(
    round,
    4,
    async ({ key: { metadata } }) => {
      const { uid, resourceVersion } = metadata
      try {
        await actionSets.delete(metadata, { uid, resourceVersion, signal })
      } catch (error) {
        // Somebody changed it: it is looked at again.
        if (!kubeError.is(error, 'KUBE_CONFLICT', 'KUBE_NOT_FOUND')) throw error
      }
    },
    signal,
  )
  return round.length
}

/** While its Run is unfinished something of it still runs. Of both, the Run knows better when it ended. */
function endedOne(caches: Caches, actionSet: Live<ActionSet>): Parameters<typeof decideRemovals<Live<ActionSet>>>[0][number][] {
  const remains = isSettled(actionSet) ? remainsIn(actionSet) : undefined
  if (!remains || caches.unfinishedRuns(keyOf(actionSet)).length > 0) return []
  const { namespace, uid } = actionSet.metadata
  const endedAt = caches.run(namespace, runName(uid))?.status.endedAt
  return [{ key: actionSet, remains: endedAt ? { ...remains, endedMs: Date.parse(endedAt) } : remains }]
}
