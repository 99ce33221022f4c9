import type { ActionSpec } from '../api/actionset.ts'
import type { ObjectReference } from '../api/object-reference.ts'
import type { BackupRecord } from '../catalog/record.ts'
import { locateData } from './data-sources.ts'
import type { OpenedBackup } from './find-backup.ts'
import { type BlueprintPlan, planBlueprints } from './import-blueprints.ts'
import type { ImportTarget } from './import-catalog.ts'
import type { RecoveryCluster } from './look.ts'
import { type Manifest, claimsOf, isKind, retarget } from './manifests.ts'
import type { RecoveryPlace } from './place.ts'
import { type PlanFinding, findingsAbout } from './plan-findings.ts'
import { type PlannedObject, planObjects } from './plan-objects.ts'
import { sizeOf } from './read-backups.ts'

export type { PlanFinding } from './plan-findings.ts'
export type { PlannedObject } from './plan-objects.ts'

export interface RestoreRequest {
  readonly toNamespace?: string
  readonly name?: string
  readonly storageClasses: Readonly<Record<string, string>>
  /** Restore into the object that is there. */
  readonly intoExisting: boolean
  /** What becomes of ConfigMaps, Services and so on that are there already. */
  readonly overwrite: 'never' | 'replace'
  /** Action of the Blueprint. */
  readonly action: string
  /** Over those of the backup. */
  readonly options: Readonly<Record<string, string>>
  /** Codes of blockers that do not stop it. */
  readonly accept: readonly string[]
  readonly engineVersion: string
  /** Further changes to each manifest at the target. */
  readonly change?: (manifest: Manifest) => Manifest
}

export interface RestorePlan {
  readonly backup: string
  readonly target: ObjectReference
  readonly objects: readonly PlannedObject[]
  readonly blueprint?: BlueprintPlan
  readonly spec: ActionSpec
  readonly findings: readonly PlanFinding[]
  readonly sizeBytes?: number
  /** From how long the backup took; nothing where that is not known. */
  readonly expectedSeconds: number
}

/** What a restore would do and what would make it fail. Looks only. */
export async function planRestore(
  place: RecoveryPlace,
  cluster: RecoveryCluster & ImportTarget,
  { record, header }: OpenedBackup,
  request: RestoreRequest,
): Promise<RestorePlan> {
  const { signal } = cluster
  const target = targetOf(record, request)
  const manifests = retarget([...(record.manifests ?? []), ...(record.secrets ?? [])], {
    source: record.object,
    namespace: namespaceOf(target),
    name: target.name ?? '',
    storageClasses: request.storageClasses,
  }).map(request.change ?? ((manifest) => manifest))
  const isTarget = (manifest: Manifest): boolean => isKind(manifest.kind, target) && manifest.metadata.name === target.name
  const objects = await planObjects(cluster, { manifests, namespace: namespaceOf(target), isTarget, request })
  const [blueprint] = await planBlueprints(cluster, [record])
  const data = await locateData(place, record, signal)
  const findings = [
    ...(await findingsAbout(cluster, {
      record,
      target,
      manifests,
      objects,
      isTarget,
      request,
      data,
      ...(blueprint ? { blueprint } : {}),
    })),
    ...objects.flatMap(({ finding }) => finding ?? []),
  ]
  const sizeBytes = sizeOf(record)
  return {
    backup: header?.actionSet.name ?? record.actionSet.name,
    target,
    objects,
    ...(blueprint ? { blueprint } : {}),
    spec: specOf(record, target, cluster, request, blueprint?.name ?? record.blueprint.name),
    findings,
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    expectedSeconds: forecast(record, claimsOf(manifests).length),
  }
}

export function blockersOf({ findings }: Pick<RestorePlan, 'findings'>, accept: readonly string[]): PlanFinding[] {
  return findings.filter(({ level, code }) => level === 'blocker' && !accept.includes(code))
}

function targetOf({ object }: BackupRecord, { toNamespace, name }: RestoreRequest): ObjectReference {
  const isNamespace = isKind('Namespace', object)
  const moved = toNamespace === undefined || isNamespace ? {} : { namespace: toNamespace }
  const named = name ?? (isNamespace ? toNamespace : undefined)
  return { ...object, ...moved, ...(named === undefined ? {} : { name: named }) }
}

function namespaceOf(target: ObjectReference): string {
  return isKind('Namespace', target) ? (target.name ?? '') : (target.namespace ?? '')
}

function specOf(
  record: BackupRecord,
  target: ObjectReference,
  { profile }: ImportTarget,
  { action, options, toNamespace }: RestoreRequest,
  blueprint: string,
): ActionSpec {
  // The request is what an ActionSet had, as it was accepted then.
  const { name: _name, object: _object, artifacts: _artifacts, ...request } = (record.request ?? {}) as ActionSpec
  const from = record.object.namespace
  const moved = (refs: ActionSpec['secrets']): ActionSpec['secrets'] =>
    Object.fromEntries(
      Object.entries(refs ?? {}).map(([key, ref]) => [
        key,
        toNamespace !== undefined && ref.namespace === from ? { ...ref, namespace: toNamespace } : ref,
      ]),
    )
  return {
    ...request,
    name: action,
    object: target,
    blueprint,
    artifacts: record.artifacts,
    profile: { apiVersion: 'v1alpha1', ...profile },
    ...(request.secrets ? { secrets: moved(request.secrets) ?? {} } : {}),
    ...(request.configMaps ? { configMaps: moved(request.configMaps) ?? {} } : {}),
    ...(Object.keys(options).length > 0 || request.options ? { options: { ...request.options, ...options } } : {}),
  }
}

/** Reading back takes about as long as writing did; volumes and pods have to come first. */
const secondsOfPods = 20
const secondsOfVolume = 5

function forecast({ startedAt, finishedAt }: BackupRecord, volumes: number): number {
  const seconds = (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000
  return Math.ceil((Number.isFinite(seconds) ? Math.max(1, seconds) : 0) + secondsOfPods + volumes * secondsOfVolume)
}
