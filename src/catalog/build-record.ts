import type { ObjectReference } from '../api/object-reference.ts'
import { names } from '../api/names.ts'
import type { Run, RunAction, RunActionSpec } from '../api/run.ts'
import type { ResolvedProfile } from '../store/profile-json.ts'
import type { BackupRecord } from './record.ts'
import { withoutSecrets } from './without-secrets.ts'

/** An action that has ended well, all of it final. */
export interface FinishedBackup {
  readonly run: Run
  readonly actionIndex: number
  readonly profile: ResolvedProfile
  /** The Profile that this is, where the action named none and the engine's own was taken. */
  readonly defaultProfile?: ObjectReference
  /** What there is beside the data, read when the backup ended. */
  readonly surroundings?: Surroundings
}

/** What a restore on a cluster that never saw the application needs beside the data. */
export interface Surroundings {
  /** The whole Blueprint, and whether it is still the one that ran. */
  readonly blueprint?: { readonly body: Record<string, unknown>; readonly changed: boolean }
  /** The Schedule that asked for the backup. */
  readonly schedule?: Record<string, unknown>
  readonly images: readonly string[]
  readonly manifests: readonly Record<string, unknown>[]
  readonly omitted: readonly string[]
  /** With their contents: they stand in the sealed part of a record only. */
  readonly secrets?: readonly Record<string, unknown>[]
  /** Of what is missing, what somebody should hear of at once. */
  readonly warnings?: readonly string[]
}

/** The engine that writes. */
export interface RecordAuthor {
  readonly installationId: string
  readonly engineVersion: string
  /** UID of the kube-system namespace. */
  readonly cluster?: string
}

/** The record of a finished action, from its Run alone: a repetition gives the same one. */
export function buildRecord(backup: FinishedBackup, author: RecordAuthor): BackupRecord {
  const { run, actionIndex, profile, surroundings } = backup
  const spec = run.spec.actions[actionIndex]
  const action = run.status.actions[actionIndex]
  if (!spec || !action) throw new Error(`Run ${run.metadata.name} has no action ${actionIndex}`)
  const { name, uid, labels } = run.spec.actionSet
  const schedule = labels?.[names.schedule]
  const startedAt = action.startedAt ?? action.inputs?.time ?? run.metadata.creationTimestamp ?? ''
  const record: BackupRecord = {
    id: `${uid}-${actionIndex}`,
    actionSet: { name, namespace: run.metadata.namespace, uid, ...(labels ? { labels } : {}) },
    ...(schedule === undefined ? {} : { schedule }),
    ...(surroundings?.schedule ? { scheduleManifest: surroundings.schedule } : {}),
    request: { ...spec.action },
    action: spec.action.name ?? '',
    object: spec.action.object ?? {},
    blueprint: blueprintOf(spec, surroundings),
    profile: profileOf(spec.action.profile ?? backup.defaultProfile, profile),
    artifacts: action.artifacts ?? {},
    phases: phasesOf(spec, action),
    startedAt,
    finishedAt: action.endedAt ?? lastEnd(action) ?? startedAt,
    installation: { id: author.installationId, ...(author.cluster === undefined ? {} : { cluster: author.cluster }) },
    engineVersion: author.engineVersion,
    attempt: action.fence.attempt,
    ...(surroundings ? { images: [...surroundings.images], manifests: [...surroundings.manifests] } : {}),
    ...(surroundings && surroundings.omitted.length > 0 ? { omitted: [...surroundings.omitted] } : {}),
  }
  const masked = withoutSecrets(record, profile)
  // As they are: half of a Secret is none.
  return surroundings?.secrets ? { ...masked, secrets: [...surroundings.secrets] } : masked
}

function blueprintOf(spec: RunActionSpec, surroundings: Surroundings | undefined): BackupRecord['blueprint'] {
  const { blueprint, blueprintHash, templateLanguage } = spec
  return {
    name: spec.action.blueprint ?? '',
    ...(blueprintHash === undefined ? {} : { sha256: blueprintHash }),
    ...(templateLanguage === undefined ? {} : { templateLanguage }),
    ...(blueprint === undefined ? {} : { action: { ...blueprint } }),
    ...surroundings?.blueprint,
  }
}

function profileOf(ref: ObjectReference | undefined, { location, skipSslVerify }: ResolvedProfile): BackupRecord['profile'] {
  const { type, bucket, endpoint, prefix, region } = location
  const { name = '', namespace = '' } = ref ?? {}
  return { name, namespace, location: { type, bucket, endpoint, prefix, region }, skipSSLVerify: skipSslVerify }
}

function phasesOf(spec: RunActionSpec, action: RunAction): BackupRecord['phases'] {
  const functions = new Map((spec.blueprint?.phases ?? []).map((phase) => [phase.name, phase.func]))
  return action.phases.map(({ name, output, warnings }) => {
    const func = functions.get(name)
    return {
      name,
      ...(func === undefined ? {} : { func }),
      ...(output === undefined ? {} : { output }),
      ...(warnings === undefined ? {} : { warnings }),
    }
  })
}

function lastEnd({ phases, deferPhase }: RunAction): string | undefined {
  const ends = [...phases, ...(deferPhase ? [deferPhase] : [])].map((phase) => phase.endedAt).filter((end) => end !== undefined)
  return ends.toSorted((a, b) => Date.parse(a) - Date.parse(b)).at(-1)
}
