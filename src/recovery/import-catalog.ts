import type { ActionSet, ActionSpec } from '../api/actionset.ts'
import { names } from '../api/names.ts'
import type { ObjectReference } from '../api/object-reference.ts'
import { messageOf } from '../base/errors.ts'
import type { BackupRecord } from '../catalog/record.ts'
import { kubeError } from '../kube/errors.ts'
import type { Kube } from '../kube/kube.ts'
import { ownKinds } from '../kube/own-kinds.ts'
import { type BlueprintPlan, applyBlueprint, planBlueprints } from './import-blueprints.ts'
import { type SchedulePlan, applySchedule, planSchedules } from './import-schedules.ts'
import { importedNames } from './imported-names.ts'
import type { Backup } from './read-backups.ts'

export interface ImportTarget {
  readonly kube: Pick<Kube, 'resource'>
  /** Of the installation. */
  readonly namespace: string
  /** By which the location is reached here. */
  readonly profile: { readonly name: string; readonly namespace: string }
  readonly signal: AbortSignal
}

/** Where a catalog goes. */
export interface CatalogTarget extends ImportTarget {
  /** Installations whose backups this one may change: itself, and those that it took over. */
  readonly owned: ReadonlySet<string>
  /** Schedules come too. @default true */
  readonly schedules?: boolean
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
  readonly schedules: readonly SchedulePlan[]
  /** Records that cannot be read, and Blueprints that no record has: named, and no reason to leave out the rest. */
  readonly problems: readonly string[]
}

/** Looks and writes nothing. */
export async function planImport(target: CatalogTarget, backups: readonly Backup[]): Promise<ImportPlan> {
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
  const blueprintOf = (record: BackupRecord): string =>
    blueprints.find(({ uses }) => uses.has(record.id))?.name ?? record.blueprint.name
  const actionSets: ActionSetPlan[] = []
  const groups = Map.groupBy(records, ({ record }) => record.actionSet.uid)
  const taken = new Set<string>()
  for (const group of groups.values()) {
    const plan = await planActionSet(target, group, blueprintOf, taken)
    taken.add(plan.name)
    actionSets.push(plan)
  }
  const { schedules, problems: ofSchedules } =
    target.schedules === false ? { schedules: [], problems: [] } : await planSchedules(target, records, blueprintOf)
  return { blueprints, actionSets, schedules, problems: [...problems, ...ofSchedules] }
}

interface Keyed {
  readonly key: string
  readonly record: BackupRecord
}

async function planActionSet(
  { kube, namespace, profile, owned, signal }: CatalogTarget,
  group: readonly Keyed[],
  blueprintOf: (record: BackupRecord) => string,
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
        blueprintOf,
        owned: owned.has(first.installation.id),
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
  readonly owned: boolean
}

/** With its status, in one object: an ActionSet that comes without one would run again. */
function completed({ name, namespace, profile, records, keys, blueprintOf, owned }: Completed): ActionSet {
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
  const labels = { ...Object.fromEntries(kept), [names.imported]: owned ? 'owned' : 'true' }
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
  readonly createdSchedules: number
  /** ActionSets that were there. */
  readonly present: number
  readonly problems: readonly string[]
}

/** Blueprints first, Schedules last. What fails is named, and the rest goes on; running it again does what is left. */
export async function runImport(
  target: CatalogTarget,
  plan: ImportPlan,
  onDone: (done: number, of: number) => void = () => {},
): Promise<ImportResult> {
  const { kube, signal } = target
  const problems = [...plan.problems]
  const counts = { createdBlueprints: 0, createdActionSets: 0, createdSchedules: 0, present: 0 }
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
  for (const schedule of plan.schedules)
    if (await attempt(`Schedule ${schedule.name}`, () => applySchedule(target, schedule))) counts.createdSchedules++
  // Imported before a takeover that could not mark them all.
  await attempt('labels of ActionSets that are owned now', () => ownImported(target, target.owned).then(() => true))
  return { ...counts, problems }
}

/** After a takeover: what was imported of those installations may be deleted from now on. Gives how many. */
export async function ownImported(
  { kube, namespace, signal }: Pick<ImportTarget, 'kube' | 'namespace' | 'signal'>,
  installations: ReadonlySet<string>,
): Promise<number> {
  const actionSets = kube.resource(ownKinds.actionSets)
  const patch = { metadata: { labels: { [names.imported]: 'owned' } } }
  let count = 0
  for await (const { items } of actionSets.pages({ namespace, labelSelector: `${names.imported}=true`, signal }))
    for (const { metadata } of items) {
      if (!installations.has(metadata.annotations?.[importedNames.installation] ?? '')) continue
      await actionSets.patch({ namespace, name: metadata.name }, patch, { signal })
      count += 1
    }
  return count
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
