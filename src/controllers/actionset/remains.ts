import type { ActionSet } from '../../api/actionset.ts'
import { names } from '../../api/names.ts'
import { readQueueRequest } from '../../engine/queue-request.ts'
import type { Live } from '../../kube/objects.ts'
import type { Remains } from './removal.ts'

/** What must be known of an ActionSet that has ended to say when it may go. */
export function remainsOf(actionSet: Live<ActionSet>): Remains {
  const { metadata, spec, status } = actionSet
  const { ttlMs } = readQueueRequest(actionSet)
  const state = status?.state === 'complete' ? 'complete' : 'failed'
  // What was imported ended long ago; its time begins when it came.
  const wasImported = metadata.labels?.[names.imported] !== undefined
  const ended = (wasImported ? undefined : status?.progress?.lastTransitionTime) ?? metadata.creationTimestamp
  return {
    state,
    endedMs: Date.parse(ended ?? '') || 0,
    ...(ttlMs === undefined ? {} : { ttlMs }),
    blueprint: spec?.actions?.[0]?.blueprint ?? '',
    record: recordOf(actionSet),
  }
}

/** Only what says that it is catalogued is: one that a Kanister ran, or whose record could not be written, does not. */
function recordOf({ status }: ActionSet): Remains['record'] {
  const leaves = (status?.actions ?? []).some(({ artifacts }) => Object.keys(artifacts ?? {}).length > 0)
  if (status?.state !== 'complete' || !leaves) return 'none'
  return status.catalogued === true ? 'catalogued' : 'only'
}
