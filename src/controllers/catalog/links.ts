import type { ObjectReference } from '../../api/object-reference.ts'
import type { Run } from '../../api/run.ts'

/** A record that a finished action wrote. */
export interface WrittenRecord {
  readonly id: string
  /** Below the prefix of the location. */
  readonly key: string
  readonly profile: ObjectReference
  readonly object: ObjectReference
  readonly endedAt: string
}

/** The records of a finished Run, in the order of its actions. Those that could not be written are none. */
export function recordsOf({ spec, status, metadata }: Pick<Run, 'spec' | 'status' | 'metadata'>): WrittenRecord[] {
  return spec.actions.flatMap(({ action }, index) => {
    const { record, state, endedAt } = status.actions[String(index)] ?? {}
    if (!record || !action.profile || state !== 'complete') return []
    return [
      {
        id: `${spec.actionSet.uid}-${index}`,
        key: record,
        profile: { ...action.profile, namespace: action.profile.namespace ?? metadata.namespace },
        object: action.object ?? {},
        endedAt: endedAt ?? status.endedAt ?? '',
      },
    ]
  })
}
