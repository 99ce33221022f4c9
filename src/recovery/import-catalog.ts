import type { ActionSet, ActionSpec } from '../api/actionset.ts'
import { names } from '../api/names.ts'
import type { ObjectReference } from '../api/object-reference.ts'
import { messageOf } from '../base/errors.ts'
import type { BackupRecord } from '../catalog/record.ts'
import { kubeError } from '../kube/errors.ts'
import type { Kube } from '../kube/kube.ts'
import { ownKinds } from '../kube/own-kinds.ts'
import { type BlueprintPlan, applyBlueprint, planBlueprints } from './import-blueprints.ts'
import type { Backup } from './read-backups.ts'

/** Annotations of what came out of a bucket. */
export const importedNames = {
  /** UID of the ActionSet that it was. */
  uid: 'holdfast.dev/imported-uid',
  installation: 'holdfast.dev/imported-installation',
  cluster: 'holdfast.dev/imported-cluster',
  /** Keys of its records, comma separated. */
  records: 'holdfast.dev/imported-records',
  schedule: 'holdfast.dev/imported-schedule',
} as const

export interface ImportTarget {
  readonly kube: Pick<Kube, 'resource'>
  /** Of the installation. */
  readonly namespace: string
  /** By which the location is reached here. */
  readonly profile: { readonly name: string; readonly namespace: string }
  readonly signal: AbortSignal
}

/** What becomes of one ActionSet of the catalog. */
export interface ActionSetPlan {
  /** `create`, or there already: as it was, or imported before. */
  readonly what: 'create' | 'present'
  readonly name: string
  readonly records: readonly string[]
  readonly object?: ActionSet
}

export interface ImportPlan {
  readonly blueprints: readonly BlueprintPlan[]
  readonly actionSets: readonly ActionSetPlan[]
  /** Records that cannot be read, and Blueprints that no record has: named, and no reason to leave out the rest. */
  readonly problems: readonly string[]
}

/** Looks and writes nothing. */
export async function planImport(target: ImportTarget, backups: readonly Backup[]): Promise<ImportPlan> {
  const problems = backups.flatMap(({ key, record, problem }) =>
    record ? [] : [`${key}: ${problem?.message ?? 'cannot be read'}`],
  )
  const records = backups.flatMap(({ key, record }) => (record ? [{ key, record }] : []))
  const blueprints = await planBlueprints(
    target,
    records.map(({ record }) => record),
  )
  const lacking = new Set(records.flatMap(({ record }) => (record.blueprint.body ? [] : [record.blueprint.name])))
  for (const name of lacking) problems.push(`Blueprint ${name}: the records that use it do not hold it whole; apply it by hand`)
  const actionSets: ActionSetPlan[] = []
  const groups = Map.groupBy(records, ({ record }) => record.actionSet.uid)
  const taken = new Set<string>()
  for (const group of groups.values()) {
    const plan = await planActionSet(target, group, blueprints, taken)
    taken.add(plan.name)
    actionSets.push(plan)
  }
  return { blueprints, actionSets, problems }
}

interface Keyed {
  readonly key: string
  readonly record: BackupRecord
}

async function planActionSet(
  { kube, namespace, profile, signal }: ImportTarget,
  group: readonly Keyed[],
  blueprints: readonly BlueprintPlan[],
  taken: ReadonlySet<string>,
): Promise<ActionSetPlan> {
  const ordered = group.toSorted((a, b) => indexOf(a.record) - indexOf(b.record))
  const first = (ordered[0] as Keyed).record
  const records = ordered.map(({ key }) => key)
  const { uid } = first.actionSet
  const candidates = [first.actionSet.name, `${first.actionSet.name.slice(0, 200)}-${uid.slice(0, 8)}`]
  for (const name of candidates) {
    const found = await kube.resource(ownKinds.actionSets).find({ namespace, name }, { signal })
    if (found && (found.metadata.uid === uid || found.metadata.annotations?.[importedNames.uid] === uid))
      return { what: 'present', name, records }
    if (found || taken.has(name)) continue
    const renamed = (record: BackupRecord): string =>
      blueprints.find(({ uses }) => uses.includes(record.id))?.name ?? record.blueprint.name
    return {
      what: 'create',
      name,
      records,
      object: completed({
        name,
        namespace,
        profile,
        records: ordered.map(({ record }) => record),
        keys: records,
        blueprintOf: renamed,
      }),
    }
  }
  return { what: 'present', name: candidates[1] ?? '', records }
}

interface Completed {
  readonly name: string
  readonly namespace: string
  readonly profile: ImportTarget['profile']
  readonly records: readonly BackupRecord[]
  readonly keys: readonly string[]
  readonly blueprintOf: (record: BackupRecord) => string
}

/** With its status, in one object: an ActionSet that comes without one would run again. */
function completed({ name, namespace, profile, records, keys, blueprintOf }: Completed): ActionSet {
  const first = records[0] as BackupRecord
  const specs = records.map((record): ActionSpec => specOf(record, profile, blueprintOf(record)))
  const annotations = {
    [importedNames.uid]: first.actionSet.uid,
    [importedNames.installation]: first.installation.id,
    ...(first.installation.cluster === undefined ? {} : { [importedNames.cluster]: first.installation.cluster }),
    [importedNames.records]: keys.join(','),
    ...(first.schedule === undefined ? {} : { [importedNames.schedule]: first.schedule }),
  }
  // A Schedule of this name may be here too, and must not take it for its own.
  const kept = Object.entries(first.actionSet.labels ?? {}).filter(([label]) => label !== names.schedule)
  const labels = { ...Object.fromEntries(kept), [names.imported]: 'true' }
  return {
    apiVersion: `${names.kanisterGroup}/${names.version}`,
    kind: 'ActionSet',
    // The server fills in the rest.
    metadata: { name, namespace, labels, annotations } as unknown as ActionSet['metadata'],
    spec: { actions: specs },
    status: {
      state: 'complete',
      catalogued: true,
      error: { message: '' },
      progress: { percentCompleted: '100', lastTransitionTime: first.finishedAt },
      actions: records.map((record) => ({
        name: record.action,
        object: record.object,
        blueprint: blueprintOf(record),
        artifacts: record.artifacts,
        phases: record.phases.map(({ name: phase, output }) => ({
          name: phase,
          state: 'complete',
          ...(output ? { output } : {}),
        })),
      })),
    },
  }
}

function specOf(record: BackupRecord, profile: ObjectReference, blueprint: string): ActionSpec {
  // The request is what an ActionSet had, as it was accepted then.
  const request = (record.request ?? {}) as ActionSpec
  return { ...request, name: record.action, object: record.object, blueprint, profile: { apiVersion: 'v1alpha1', ...profile } }
}

function indexOf({ id }: BackupRecord): number {
  return Number(/-(\d+)$/.exec(id)?.[1] ?? 0)
}

export interface ImportResult {
  readonly createdBlueprints: number
  readonly createdActionSets: number
  readonly present: number
  readonly problems: readonly string[]
}

/** Blueprints first. What fails is named, and the rest goes on; running it again does what is left. */
export async function runImport(
  target: ImportTarget,
  plan: ImportPlan,
  onDone: (done: number, of: number) => void = () => {},
): Promise<ImportResult> {
  const { kube, signal } = target
  const problems = [...plan.problems]
  const counts = { createdBlueprints: 0, createdActionSets: 0, present: 0 }
  const attempt = async (what: string, work: () => Promise<boolean>): Promise<boolean> => {
    try {
      return await work()
    } catch (error) {
      signal.throwIfAborted()
      problems.push(`${what}: ${messageOf(error)}`)
      return false
    }
  }
  for (const blueprint of plan.blueprints)
    if (await attempt(`Blueprint ${blueprint.name}`, () => applyBlueprint(target, blueprint))) counts.createdBlueprints++
  for (const [index, { what, name, object }] of plan.actionSets.entries()) {
    onDone(index, plan.actionSets.length)
    if (what === 'present' || !object) counts.present++
    else if (await attempt(`ActionSet ${name}`, () => create(kube, object, signal))) counts.createdActionSets++
  }
  return { ...counts, problems }
}

/** After a takeover: what was imported of that installation may be deleted from now on. Gives how many. */
export async function ownImported(
  { kube, namespace, signal }: Pick<ImportTarget, 'kube' | 'namespace' | 'signal'>,
  installation: string,
): Promise<number> {
  const actionSets = kube.resource(ownKinds.actionSets)
  const { items } = await actionSets.list({ namespace, labelSelector: `${names.imported}=true`, signal })
  const own = items.filter(({ metadata }) => metadata.annotations?.[importedNames.installation] === installation)
  for (const { metadata } of own)
    await actionSets.patch(
      { namespace, name: metadata.name },
      { metadata: { labels: { [names.imported]: 'owned' } } },
      { signal },
    )
  return own.length
}

async function create(kube: ImportTarget['kube'], object: ActionSet, signal: AbortSignal): Promise<boolean> {
  try {
    await kube.resource(ownKinds.actionSets).create(object, { signal })
    return true
  } catch (error) {
    // Another import beside us, or an earlier try whose answer was lost.
    if (kubeError.is(error, 'KUBE_ALREADY_EXISTS')) return false
    throw error
  }
}
