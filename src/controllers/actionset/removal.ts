/**
 * Which ActionSets that have ended may go. Off unless somebody asks: Kanister keeps all, and `--from` of a restore reads its
 * parent. Pure.
 *
 * | it is | it goes |
 * | --- | --- |
 * | the only record of a backup: complete, with artifacts, without a record in the location | never |
 * | a backup with its record in the location | when its time to live is over, not for a history limit |
 * | anything else: failed, or complete without artifacts | when its time to live is over, or a history limit passes it |
 */
export interface Remains {
  readonly state: 'complete' | 'failed'
  readonly endedMs: number
  /** What the ActionSet asks for itself. */
  readonly ttlMs?: number
  readonly blueprint: string
  /** `only`: nothing but this object knows of the backup. */
  readonly record: 'none' | 'catalogued' | 'only'
}

export interface RemovalPolicy {
  /** Time to live of those that name none. Absent: for ever. */
  readonly ttlMs?: number
  /** How many of one namespace and Blueprint stay, the latest. Absent: all. */
  readonly keepComplete?: number
  readonly keepFailed?: number
}

export interface Removal<Key> {
  readonly key: Key
  readonly why: string
}

/** Those of one namespace. */
export function decideRemovals<Key>(
  ended: readonly { readonly key: Key; readonly remains: Remains }[],
  policy: RemovalPolicy,
  nowMs: number,
): Removal<Key>[] {
  const counts = new Map<string, number>()
  const latestFirst = ended.toSorted((a, b) => b.remains.endedMs - a.remains.endedMs)
  return latestFirst.flatMap(({ key, remains }): Removal<Key>[] => {
    const { state, blueprint, record } = remains
    if (record === 'only') return []
    const ttlMs = remains.ttlMs ?? policy.ttlMs
    if (ttlMs !== undefined && nowMs - remains.endedMs >= ttlMs) return [{ key, why: 'its time to live is over' }]
    const limit = state === 'complete' ? policy.keepComplete : policy.keepFailed
    if (record !== 'none' || limit === undefined) return []
    const kind = JSON.stringify([state, blueprint])
    const count = (counts.get(kind) ?? 0) + 1
    counts.set(kind, count)
    return count > limit ? [{ key, why: `${limit} later ones of Blueprint ${blueprint} are ${state}` }] : []
  })
}
