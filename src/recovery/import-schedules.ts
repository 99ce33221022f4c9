import { names } from '../api/names.ts'
import type { Schedule, ScheduleSpec } from '../api/schedule.ts'
import type { BackupRecord } from '../catalog/record.ts'
import { kubeError } from '../kube/errors.ts'
import { ownKinds } from '../kube/own-kinds.ts'
import type { ImportTarget } from './import-catalog.ts'
import { importedNames } from './imported-names.ts'

/** What becomes of one Schedule of the catalog. */
export interface SchedulePlan {
  /** `present`: one of this name is there, whoever made it. It stays as it is. */
  readonly what: 'create' | 'present'
  readonly name: string
  readonly object: Schedule
}

interface Keyed {
  readonly key: string
  readonly record: BackupRecord
}

/**
 * The Schedules by which the backups were made, each as its newest record has it. They come suspended: a cluster that was made to try a
 * restore must not begin to make backups by itself. Of two of one name the one that was seen last comes, and the other is a problem.
 */
export async function planSchedules(
  target: ImportTarget,
  records: readonly Keyed[],
  blueprintOf: (record: BackupRecord) => string,
): Promise<{ readonly schedules: SchedulePlan[]; readonly problems: string[] }> {
  const schedules: SchedulePlan[] = []
  const problems: string[] = []
  const taken = new Map<string, string>()
  for (const { key, record } of newestOfEach(records)) {
    const manifest = manifestOf(record)
    if (!manifest) continue
    const { name } = manifest.metadata
    const said = `Schedule ${name} of namespace ${manifest.metadata.namespace ?? ''}, installation ${record.installation.id}`
    const other = taken.get(name)
    if (other !== undefined) {
      problems.push(`${said}: ${other} has that name and was used later; make this one by hand under another`)
      continue
    }
    taken.set(name, said)
    const place = { namespace: target.namespace, name }
    const found = await target.kube.resource(ownKinds.schedules).find(place, { signal: target.signal })
    const object = suspended({ manifest, record, key, target, blueprint: blueprintOf(record) })
    schedules.push({ what: found ? 'present' : 'create', name, object })
  }
  return { schedules, problems }
}

/** True if it was made. */
export async function applySchedule(
  { kube, signal }: Pick<ImportTarget, 'kube' | 'signal'>,
  { what, object }: SchedulePlan,
): Promise<boolean> {
  if (what === 'present') return false
  try {
    await kube.resource(ownKinds.schedules).create(object, { signal })
    return true
  } catch (error) {
    if (kubeError.is(error, 'KUBE_ALREADY_EXISTS')) return false
    throw error
  }
}

/** The newest record with each Schedule, the latest used Schedule first. */
function newestOfEach(records: readonly Keyed[]): Keyed[] {
  const newest = new Map<string, Keyed>()
  for (const one of records) {
    const manifest = manifestOf(one.record)
    if (!manifest) continue
    const key = `${one.record.installation.id} ${manifest.metadata.namespace ?? ''} ${manifest.metadata.name}`
    const known = newest.get(key)
    if (!known || startOf(known) < startOf(one)) newest.set(key, one)
  }
  return [...newest.values()].toSorted((a, b) => startOf(b) - startOf(a))
}

function startOf({ record }: Keyed): number {
  return Date.parse(record.startedAt)
}

interface Manifest {
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec: ScheduleSpec
}

function manifestOf({ scheduleManifest }: BackupRecord): Manifest | undefined {
  const { metadata, spec } = (scheduleManifest ?? {}) as Partial<Manifest>
  return metadata?.name && spec ? { metadata, spec } : undefined
}

interface Suspended extends Keyed {
  readonly manifest: Manifest
  readonly target: ImportTarget
  readonly blueprint: string
}

function suspended({ manifest, record, key, target, blueprint }: Suspended): Schedule {
  const { namespace, profile } = target
  const { name, labels, annotations } = manifest.metadata
  const { action = {} } = manifest.spec
  // Here the Blueprint may have another name, and the location is reached by another Profile.
  const named = action.blueprint === record.blueprint.name ? { ...action, blueprint } : action
  return {
    apiVersion: `${names.group}/${names.version}`,
    kind: 'Schedule',
    // The server fills in the rest.
    metadata: {
      name,
      namespace,
      ...(labels ? { labels } : {}),
      annotations: {
        ...annotations,
        [importedNames.installation]: record.installation.id,
        ...(record.installation.cluster === undefined ? {} : { [importedNames.cluster]: record.installation.cluster }),
        [importedNames.namespace]: manifest.metadata.namespace ?? '',
        [importedNames.records]: key,
      },
    } as unknown as Schedule['metadata'],
    spec: { ...manifest.spec, suspend: true, action: { ...named, profile: { apiVersion: 'v1alpha1', ...profile } } },
  }
}
