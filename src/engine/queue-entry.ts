import type { Run, RunAction } from '../api/run.ts'
import { isEnded } from './machine.ts'
import { actionsOf } from './project.ts'
import type { OpenAction, OpenRun } from './queue-policy.ts'
import { isBarred, isItsTurn, isParked } from './turn.ts'

/** A Run as the queue's policy sees it. `createdMs` for one that the server does not have yet. */
export function openRunOf(run: Pick<Run, 'spec' | 'status'> & RunMeta, engineNamespace: string, createdMs = 0): OpenRun {
  const { namespace, name, creationTimestamp } = run.metadata
  const { priority = 0, objects = [] } = run.spec.queue ?? {}
  return {
    key: `${namespace}/${name}`,
    label: `${namespace}/${run.spec.actionSet.name}`,
    share: shareOf(run, engineNamespace),
    priority,
    sinceMs: creationTimestamp ? Date.parse(creationTimestamp) : createdMs,
    objects,
    held: run.status.held !== undefined,
    begun: hasLaunched(run),
    actions: actionsOf(run).flatMap((action, index) => (isEnded(action) ? [] : [openAction(run, action, index)])),
  }
}

/** Some action of the Run was launched: from here on it keeps what it has. */
export function hasLaunched(run: Pick<Run, 'spec' | 'status'>): boolean {
  return actionsOf(run).some((action) => action.launched === true)
}

interface RunMeta {
  readonly metadata: { readonly namespace: string; readonly name: string; readonly creationTimestamp?: string }
}

/**
 * Whom a free worker is given to: the namespace that asks. ActionSets in the engine's own namespace, where Kanister's users
 * have all of them, count for the namespace of their first object.
 */
function shareOf({ metadata, spec }: Pick<Run, 'spec'> & RunMeta, engineNamespace: string): string {
  if (metadata.namespace !== engineNamespace) return metadata.namespace
  return spec.actions[0]?.action.object?.namespace || metadata.namespace
}

function openAction(run: Pick<Run, 'spec' | 'status'>, action: RunAction, index: number): OpenAction {
  const canRun = isItsTurn(run, index) && !isBarred(run, index) && !isParked(run, index)
  return {
    index,
    state: action.fence.owner !== '' ? 'running' : canRun ? 'waiting' : 'parked',
    begun: action.launched === true,
    ...(action.startedAt ? { startedMs: Date.parse(action.startedAt) } : {}),
  }
}
