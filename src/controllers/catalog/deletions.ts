import { isDeepStrictEqual } from 'node:util'
import type { Artifacts } from '../../api/artifact.ts'
import { names } from '../../api/names.ts'
import type { ObjectReference } from '../../api/object-reference.ts'
import type { Run } from '../../api/run.ts'
import { messageOf } from '../../base/errors.ts'
import { appendLink } from '../../catalog/chain-store.ts'
import { readRecords } from '../../catalog/list-records.ts'
import type { Catalog } from '../../catalog/open-catalog.ts'
import { removeProofMarks } from '../../catalog/proof-marks.ts'
import type { BackupRecord } from '../../catalog/record.ts'
import { readOwned } from '../../catalog/takeover.ts'

/** A delete action that somebody asked for and that ended well. */
export interface Deletion {
  readonly actionSet: string
  readonly profile: ObjectReference
  readonly object: ObjectReference
  /** What it was given to remove. */
  readonly artifacts: Artifacts
  readonly startedAt: string
  readonly endedAt: string
}

/** What Blueprints call the action that removes a backup. */
const deleteAction = 'delete'
/** Read in the namespace of the object when none of the object's own fits: a delete may be asked for on another object. */
const mostRead = 2_000

/** Deletions of a finished Run. Those of a retention are not among them: it takes the records away itself. */
export function deletionsOf(
  { spec, status, metadata }: Pick<Run, 'spec' | 'status' | 'metadata'>,
  defaultProfile?: ObjectReference,
): Deletion[] {
  if (spec.actionSet.labels?.[names.retention] !== undefined) return []
  return spec.actions.flatMap(({ action }, index) => {
    const { state, startedAt, endedAt } = status.actions[String(index)] ?? {}
    const profile = action.profile ?? defaultProfile
    const { artifacts = {}, object = {} } = action
    if (action.name?.toLowerCase() !== deleteAction || state !== 'complete' || !profile) return []
    if (startedAt === undefined || Object.keys(artifacts).length === 0) return []
    return [
      {
        actionSet: spec.actionSet.name,
        profile: { ...profile, namespace: profile.namespace ?? metadata.namespace },
        object,
        artifacts,
        startedAt,
        endedAt: endedAt ?? status.endedAt ?? startedAt,
      },
    ]
  })
}

export interface BuryOptions {
  readonly signal: AbortSignal
  readonly onUnreadable: (key: string, problem: string) => void
}

/**
 * Takes away the records whose artifacts are just what was deleted: first the tombstone, then the record, so that a repetition after a
 * crash finds the rest. Records of other installations stay unless those were taken over, and those of backups that ended after the deletion began: they may lie at
 * the same place. Gives the ids.
 */
export async function buryDeleted(catalog: Catalog, deletion: Deletion, options: BuryOptions): Promise<string[]> {
  const { signal } = options
  const note = `deleted by ActionSet ${deletion.actionSet}`
  const ids: string[] = []
  for (const { key, record } of await findDeleted(catalog, deletion, options)) {
    const content = { kind: 'tombstone' as const, record: record.id, note, at: deletion.endedAt }
    await removeProofMarks(catalog.location, record.object, record.id, { signal })
    await appendLink({ ...catalog, installation: record.installation.id, object: record.object }, content, { signal })
    await catalog.location.delete(key, { signal })
    ids.push(record.id)
  }
  return ids
}

interface Found {
  readonly key: string
  readonly record: BackupRecord
}

async function findDeleted(catalog: Catalog, deletion: Deletion, options: BuryOptions): Promise<Found[]> {
  const own = await search(catalog, deletion, { object: deletion.object }, options)
  const { kind, name, namespace = kind?.toLowerCase() === 'namespace' ? name : undefined } = deletion.object
  if (own.length > 0 || !namespace) return own
  return await search(catalog, deletion, { namespace }, options)
}

async function search(
  catalog: Catalog,
  deletion: Deletion,
  where: { readonly object: ObjectReference } | { readonly namespace: string },
  { signal, onUnreadable }: BuryOptions,
): Promise<Found[]> {
  const { location, key: catalogKey } = catalog
  const owned = await readOwned(catalog, { signal })
  const found: Found[] = []
  let count = 0
  for await (const each of readRecords(location, { ...where, key: catalogKey, signal })) {
    if (++count > mostRead) break
    if ('problem' in each) onUnreadable(each.key, messageOf(each.problem))
    else if (owned.includes(each.record.installation.id) && isWhatWent(each.record, deletion))
      found.push({ key: each.key, record: each.record })
  }
  return found
}

function isWhatWent({ artifacts, finishedAt }: BackupRecord, deletion: Deletion): boolean {
  return Date.parse(finishedAt) <= Date.parse(deletion.startedAt) && isDeepStrictEqual(artifacts, deletion.artifacts)
}
