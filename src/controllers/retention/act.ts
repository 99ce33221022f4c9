import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { ActionSpec } from '../../api/actionset.ts'
import { blueprintKind, type Blueprint } from '../../api/blueprint.ts'
import { apiVersionOf } from '../../api/kind.ts'
import { names } from '../../api/names.ts'
import { runName } from '../../api/run.ts'
import { scheduleKind, type Schedule, type ScheduleStatus } from '../../api/schedule.ts'
import { toRfc3339, type Clock } from '../../base/clock.ts'
import { pointerPart } from '../../base/json-pointer.ts'
import { appendLink, readChain } from '../../catalog/chain-store.ts'
import { stateOf } from '../../catalog/chain.ts'
import type { Catalog } from '../../catalog/open-catalog.ts'
import { getRecord } from '../../catalog/list-records.ts'
import { removeProofMarks } from '../../catalog/proof-marks.ts'
import type { BackupRecord } from '../../catalog/record.ts'
import { kubeError } from '../../kube/errors.ts'
import type { EventSink } from '../../kube/events.ts'
import type { Kube } from '../../kube/kube.ts'
import type { Live } from '../../kube/objects.ts'
import { ownKinds } from '../../kube/own-kinds.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { patchUnchanged } from '../runtime/patch-unchanged.ts'
import { specHash } from '../runtime/spec-hash.ts'
import { tell } from '../runtime/tell.ts'
import { hasBegun, removalActionSet, type Removal } from './decide.ts'

export interface RetentionActDeps {
  readonly kube: Pick<Kube, 'resource'>
  readonly events: EventSink
  readonly clock: Clock
  readonly log: Logger
}

/** Takes the next step of one removal. True: the backup is gone now. Throws when the step has to be repeated. */
export async function takeStep(
  deps: RetentionActDeps,
  { schedule, catalog }: { readonly schedule: Live<Schedule>; readonly catalog: Catalog },
  removal: Removal,
  signal: AbortSignal,
): Promise<boolean> {
  switch (removal.kind) {
    case 'wait':
      return false
    case 'start':
      await start(deps, schedule, catalog, removal, signal)
      return false
    case 'stop':
      await callOff(deps, schedule, removal, signal)
      return false
    case 'finish':
      await finish(deps, schedule, catalog, removal, signal)
      return true
  }
}

/**
 * Names of removals are derived from backup and attempt, so that a repetition meets itself. The failed ActionSet before it stays as long
 * as its time to live: its reason is worth reading.
 */
async function start(
  deps: RetentionActDeps,
  schedule: Live<Schedule>,
  catalog: Catalog,
  removal: Extract<Removal, { kind: 'start' }>,
  signal: AbortSignal,
): Promise<void> {
  const { key, location } = catalog
  const record = await getRecord(location, removal.backup.recordKey, { key, signal })
  // What was read some time ago may have been pinned since.
  const { backups } = stateOf(
    await readChain({ ...catalog, installation: removal.backup.installation, object: record.object }, { signal }),
  )
  if (backups.get(removal.backup.id)?.pinned !== undefined) return
  if (!(await isStillAsked(deps, schedule, signal))) return
  const blueprint = await blueprintWith(deps, schedule, record, signal)
  const request: ActionSpec = record.request ?? { profile: { name: record.profile.name, namespace: record.profile.namespace } }
  const wanted = removalActionSet(schedule, removal, {
    request: { ...request, object: record.object },
    artifacts: record.artifacts,
    blueprint,
  })
  try {
    await deps.kube.resource(ownKinds.actionSets).create(wanted, { signal })
  } catch (error) {
    if (!kubeError.is(error, 'KUBE_ALREADY_EXISTS')) throw error
  }
  const what = `backup ${removal.backup.id} of ${removal.backup.objectKey} goes: ${removal.why}`
  tell(deps, scheduleKind, schedule, {
    type: 'Normal',
    reason: 'RemovingBackup',
    message: `${what}; ActionSet ${wanted.metadata.name}`,
  })
}

/** The bucket may have taken its time: what the Schedule says now is decided on by the next look. */
async function isStillAsked({ kube }: RetentionActDeps, schedule: Live<Schedule>, signal: AbortSignal): Promise<boolean> {
  const { namespace, name, uid } = schedule.metadata
  const now = await kube.resource(ownKinds.schedules).find({ namespace, name }, { signal })
  const isThere = now?.metadata.uid === uid && now.metadata.deletionTimestamp === undefined
  return isThere && specHash(now.spec) === specHash(schedule.spec)
}

/** The Blueprint of the backup as the cluster has it; where it is gone or has lost its delete action, the one that the record kept. */
async function blueprintWith(
  deps: RetentionActDeps,
  schedule: Live<Schedule>,
  record: BackupRecord,
  signal: AbortSignal,
): Promise<string> {
  const wanted = schedule.spec.retention?.deleteAction ?? 'delete'
  const { namespace } = schedule.metadata
  const blueprints = deps.kube.resource(ownKinds.blueprints)
  const now = await blueprints.find({ namespace, name: record.blueprint.name }, { signal })
  if (now?.actions?.[wanted]) return record.blueprint.name
  const kept = record.blueprint.body as Partial<Blueprint> | undefined
  if (!kept?.actions?.[wanted]) {
    const message = `Blueprint "${record.blueprint.name}" has no action "${wanted}", so its backups cannot be removed; add the action, or remove \`retention\` from the Schedule`
    throw new Error(message)
  }
  const hash = createHash('sha256').update(JSON.stringify(kept.actions)).digest('hex').slice(0, 10)
  const name = `${record.blueprint.name.slice(0, 200)}-as-of-${hash}`
  const { actions, templateLanguage } = kept
  // Those of ours say what fields say that were pruned: the language, time limits.
  const ours = Object.entries(kept.metadata?.annotations ?? {}).filter(([key]) => key.startsWith('holdfast.dev/'))
  const again = {
    apiVersion: apiVersionOf(blueprintKind),
    kind: 'Blueprint' as const,
    metadata: { name, namespace, ...(ours.length > 0 ? { annotations: Object.fromEntries(ours) } : {}) },
    actions,
    ...(templateLanguage ? { templateLanguage } : {}),
  }
  try {
    await blueprints.create(again as Blueprint, { signal })
  } catch (error) {
    if (!kubeError.is(error, 'KUBE_ALREADY_EXISTS')) throw error
  }
  return name
}

/** As the server has it: what a worker has taken meanwhile goes on. */
async function callOff(
  deps: RetentionActDeps,
  schedule: Live<Schedule>,
  { backup, by, why }: Extract<Removal, { kind: 'stop' }>,
  signal: AbortSignal,
): Promise<void> {
  const actionSets = deps.kube.resource(ownKinds.actionSets)
  const { namespace, name } = by.metadata
  const now = await actionSets.find({ namespace, name }, { signal })
  if (!now || now.metadata.uid !== by.metadata.uid || hasBegun(now)) return
  const run = await deps.kube.resource(ownKinds.runs).find({ namespace, name: runName(now.metadata.uid) }, { signal })
  if (Object.values(run?.status?.actions ?? {}).some(({ fence, launched }) => launched || fence.owner !== '')) return
  const operations = [{ op: 'add', path: `/metadata/annotations/${pointerPart(names.cancel)}`, value: 'true' }]
  if (!(await patchUnchanged(actionSets, now, operations, signal))) return
  const message = `backup ${backup.id} of ${backup.objectKey} stays after all: ${why}; ActionSet ${name} is called off`
  tell(deps, scheduleKind, schedule, { type: 'Normal', reason: 'KeepingBackup', message })
}

/** The tombstone first: a record that is there without need is found by the next look, one that is missing without a word is damage. */
async function finish(
  deps: RetentionActDeps,
  schedule: Live<Schedule>,
  catalog: Catalog,
  { backup, why }: Extract<Removal, { kind: 'finish' }>,
  signal: AbortSignal,
): Promise<void> {
  const object = (await getRecord(catalog.location, backup.recordKey, { key: catalog.key, signal })).object
  const content = { kind: 'tombstone' as const, record: backup.id, note: why, at: toRfc3339(deps.clock.now()) }
  await removeProofMarks(catalog.location, object, backup.id, { signal })
  await appendLink({ ...catalog, installation: backup.installation, object }, content, { signal })
  await catalog.location.delete(backup.recordKey, { signal })
  tell(deps, scheduleKind, schedule, {
    type: 'Normal',
    reason: 'RemovedBackup',
    message: `backup ${backup.id} of ${backup.objectKey} is gone: ${why}`,
  })
}

/** One field of the status; the rest of it is the Schedule controller's. Gives the Schedule as it is then. */
export async function writeRetention(
  deps: RetentionActDeps,
  schedule: Live<Schedule>,
  retention: Partial<NonNullable<ScheduleStatus['retention']>>,
  signal: AbortSignal,
): Promise<Live<Schedule>> {
  const before = schedule.status?.retention
  if (isDeepStrictEqual(before, { ...before, ...retention })) return schedule
  const { namespace, name, uid } = schedule.metadata
  const patch = { metadata: { uid }, status: { retention } }
  return await deps.kube.resource(ownKinds.schedules).patch({ namespace, name }, patch, { signal })
}
