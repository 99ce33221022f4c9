import { names } from '../api/names.ts'
import type { Run } from '../api/run.ts'
import { retry } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import type { Kube } from '../kube/kube.ts'
import { ownKinds } from '../kube/own-kinds.ts'
import { isEnded } from './machine.ts'
import { actionsOf, isJournal } from './project.ts'
import { hasLaunched } from './queue-entry.ts'

export interface ObjectClaimsDeps {
  readonly kube: Pick<Kube, 'resource'>
  readonly clock: Clock
  readonly watchNamespaces: readonly string[]
}

const budgetMs = 5 * 60_000

/**
 * False if another Run that shares its objects with nobody works on one of ours. To be asked when our own claim is durable: of
 * two that claim at once each then sees the other, so never both begin, whoever let them in (two operators that both think they
 * lead, workers without a queue). Both may step back; the operator then makes one of them wait.
 */
export async function areObjectsFree(deps: ObjectClaimsDeps, run: Run, signal: AbortSignal): Promise<boolean> {
  const mine = new Set(run.spec.queue?.objects)
  if (mine.size === 0) return true
  for (const namespace of deps.watchNamespaces) {
    const others = await retry(() => serializedRuns(deps.kube, namespace, signal), { signal, clock: deps.clock, budgetMs })
    if (others.some((other) => other.metadata.uid !== run.metadata.uid && isOn(other, mine))) return false
  }
  return true
}

async function serializedRuns(kube: Pick<Kube, 'resource'>, namespace: string, signal: AbortSignal): Promise<readonly Run[]> {
  const labelSelector = `${names.serialized}=true,${names.unfinished}=true`
  return (await kube.resource(ownKinds.runs).list({ namespace, labelSelector, signal })).items.filter(isJournal)
}

function isOn(run: Run, objects: ReadonlySet<string>): boolean {
  if (!(run.spec.queue?.objects ?? []).some((object) => objects.has(object))) return false
  return hasLaunched(run) || actionsOf(run).some((action) => !isEnded(action) && action.fence.owner !== '')
}
