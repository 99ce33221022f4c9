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

/**
 * The records of a finished Run, in the order of its actions. Those that could not be written are none. Actions without a Profile have
 * theirs at the location of the engine's own.
 */
export function recordsOf(
  { spec, status, metadata }: Pick<Run, 'spec' | 'status' | 'metadata'>,
  defaultProfile?: ObjectReference,
): WrittenRecord[] {
  return spec.actions.flatMap(({ action }, index) => {
    const { record, state, endedAt } = status.actions[String(index)] ?? {}
    const profile = action.profile ?? defaultProfile
    if (!record || !profile || state !== 'complete') return []
    return [
      {
        id: `${spec.actionSet.uid}-${index}`,
        key: record,
        profile: { ...profile, namespace: profile.namespace ?? metadata.namespace },
        object: action.object ?? {},
        endedAt: endedAt ?? status.endedAt ?? '',
      },
    ]
  })
}
