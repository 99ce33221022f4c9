import type { ObjectReference } from '../../api/object-reference.ts'
import type { Schedule } from '../../api/schedule.ts'
import type { OpenCatalog } from '../../catalog/open-catalog.ts'
import type { Verdict } from '../../retention/decide.ts'
import { specHash } from '../runtime/spec-hash.ts'
import { BackupReader, type ScheduledReference } from './backups.ts'
import { decideRemovals, type CataloguedBackup } from './decide.ts'

/** What the retention of a Schedule would do now, each backup with its reasons. */
export interface RetentionPlan {
  readonly verdicts: readonly Verdict<CataloguedBackup>[]
  /** Records that cannot be read; they are left alone. */
  readonly problems: readonly string[]
}

/** Looks as the controller does, and changes nothing. `profile`: where the backups of the Schedule are. */
export async function planRetention(
  schedule: Schedule,
  profile: ObjectReference,
  { openCatalog, now, signal }: { readonly openCatalog: OpenCatalog; readonly now: number; readonly signal: AbortSignal },
): Promise<RetentionPlan> {
  const catalog = await openCatalog({ ...profile, namespace: profile.namespace ?? schedule.metadata.namespace }, signal)
  const question = { catalog, schedule: schedule.metadata.name, objects: objectsOf(schedule), now, signal }
  const { backups, problems } = await new BackupReader().read(question)
  return { verdicts: decideRemovals({ schedule, backups, removals: new Map(), now }).verdicts, problems }
}

/** Those that are or were under the Schedule, from its status. */
export function objectsOf({ spec, status }: Schedule): Map<string, ScheduledReference> {
  const hash = specHash(spec)
  return new Map(
    Object.entries(status?.objects ?? {}).map(([key, { lastSuccess = '' }]) => {
      const [namespace = '', kind = '', name = ''] = key.split('/')
      return [key, { object: { kind, namespace, name }, stamp: `${hash} ${lastSuccess}` }] as const
    }),
  )
}
