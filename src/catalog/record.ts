import { Artifact } from '../api/artifact.ts'
import { ObjectReference } from '../api/object-reference.ts'
import { check } from '../schema/check.ts'
import { flag, freeObject, integer, list, map, object, optional, text, type TypeOf } from '../schema/build.ts'
import { canonicalJson } from './canonical.ts'
import { findKey, type CatalogKey } from './catalog-key.ts'
import { catalogError } from './errors.ts'
import { seal, unseal } from './seal.ts'

/** The form written by this engine. Higher ones are refused by name; every lower one stays readable. */
export const recordVersion = 2
const recordFormat = 'holdfast.dev/backup-record'

/** What a backup is, for a person and for a restore on a cluster that never saw it. Of credentials it holds `secrets` alone. */
export const BackupRecord = object(
  {
    id: text('UID of the ActionSet and index of the action: the same for every repetition of the write.'),
    actionSet: object(
      {
        name: text('Name.'),
        namespace: text('Namespace.'),
        uid: text('UID.'),
        labels: optional(map(text('Value.'), 'Its labels.')),
      },
      'The ActionSet.',
    ),
    schedule: optional(text('The Schedule that asked for it.')),
    scheduleManifest: optional(
      freeObject('That Schedule as it was when the backup ended, as it can be created again. It names Secrets and holds none.'),
    ),
    request: optional(freeObject('The action as it was asked for: options, references, pod override.')),
    action: text('Name of the action in the Blueprint.'),
    object: ObjectReference,
    blueprint: object(
      {
        name: text('Name of the Blueprint.'),
        sha256: optional(text('Hash of the whole Blueprint as it was.')),
        templateLanguage: optional(text('Language of its templates.')),
        action: optional(freeObject('The action as it was in the Blueprint.')),
        body: optional(freeObject('The whole Blueprint: its restore and delete actions are needed too.')),
        changed: optional(flag('The Blueprint was edited while the action ran; `body` is the later one.')),
      },
      'The Blueprint.',
    ),
    profile: object(
      {
        name: text('Name of the Profile.'),
        namespace: text('Its namespace.'),
        location: object(
          {
            type: text('Type of the location.'),
            bucket: text('Bucket.'),
            endpoint: text('Endpoint; empty for the cloud’s own.'),
            prefix: text('Prefix.'),
            region: text('Region.'),
          },
          'Where the data is.',
        ),
        skipSSLVerify: flag('Certificates were not verified.'),
      },
      'The Profile, without its credentials.',
    ),
    artifacts: map(Artifact, 'Output artifacts: what a restore needs.'),
    phases: list(
      object(
        {
          name: text('Name of the phase.'),
          func: optional(text('Its function.')),
          output: optional(freeObject('What it reported: repositories, snapshots, lengths, hashes.')),
          warnings: optional(list(text('What happened.'), 'What deserved a look.')),
        },
        'A phase.',
      ),
      'Phases in order.',
    ),
    startedAt: text('RFC 3339.'),
    finishedAt: text('RFC 3339.'),
    installation: object(
      {
        id: text('UID that stays as long as the installation lives.'),
        cluster: optional(text('UID of the kube-system namespace: tells clusters apart.')),
      },
      'Who wrote it.',
    ),
    images: optional(list(text('Image.'), 'Images of the containers of the object: the version of the application.')),
    manifests: optional(list(freeObject('An object.'), 'The object and those it needs, as they can be created again.')),
    secrets: optional(
      list(
        freeObject('A Secret, with its contents.'),
        'Secrets that the pods name, where the Profile says that they are to be kept.',
      ),
    ),
    omitted: optional(list(text('What and why.'), 'Objects that belong here and could not be read, or were too large.')),
    engineVersion: text('Version of the engine.'),
    attempt: optional(integer('Which attempt of the action wrote it.')),
  },
  'One finished backup.',
)
export type BackupRecord = TypeOf<typeof BackupRecord>

/** What stays readable without a key: enough to list backups and to know which key opens them. */
export type RecordHeader = Pick<
  BackupRecord,
  | 'id'
  | 'actionSet'
  | 'schedule'
  | 'action'
  | 'object'
  | 'profile'
  | 'startedAt'
  | 'finishedAt'
  | 'installation'
  | 'engineVersion'
>

export function headerOf(record: BackupRecord): RecordHeader {
  const {
    id,
    actionSet,
    schedule,
    action,
    object: target,
    profile,
    startedAt,
    finishedAt,
    installation,
    engineVersion,
  } = record
  const header = { id, actionSet, action, object: target, profile, startedAt, finishedAt, installation, engineVersion }
  return schedule === undefined ? header : { ...header, schedule }
}

interface Envelope {
  readonly version: number
  /** Version 1. */
  readonly record?: unknown
  /** From version 2 on. */
  readonly header?: unknown
  readonly key?: string
  readonly sealed?: string
}

/**
 * A readable header and the sealed record: outputs of phases may hold passwords, manifests what is nobody's business. JSON with indentation,
 * since people look into buckets.
 */
export function renderRecord(record: BackupRecord, key: CatalogKey): string {
  const header = headerOf(record)
  const sealed = seal(key, boundTo(header), JSON.stringify(record))
  return `${JSON.stringify({ format: recordFormat, version: recordVersion, header, key: key.fingerprint, sealed }, null, 2)}\n`
}

/**
 * Reads what `renderRecord` of any engine up to this one wrote. `where` names the object in errors. CATALOG_SEALED without the right
 * key, CATALOG_ALTERED when header and seal do not belong together.
 */
export function parseRecord(json: string, where: string, key?: CatalogKey): BackupRecord {
  const envelope = parseEnvelope(json, where)
  if (envelope.version === 1) return checked(BackupRecord, envelope.record, where)
  const opener = findKey(key, envelope.key)
  if (!opener) {
    const have = key ? `, not by ${key.fingerprint}` : ''
    throw catalogError(
      'CATALOG_SEALED',
      `${where} opens by the recovery key with the fingerprint ${envelope.key ?? '?'}${have}`,
    )
  }
  const text = unseal(opener, boundTo(envelope.header), envelope.sealed ?? '')
  if (text === undefined) throw altered(where)
  const record = checked(BackupRecord, JSON.parse(text), where)
  if (boundTo(headerOf(record)) !== boundTo(envelope.header)) throw altered(where)
  return record
}

/** What can be read without a key; nothing says yet that it is true. */
export function parseHeader(json: string, where: string): RecordHeader & { readonly key?: string } {
  const envelope = parseEnvelope(json, where)
  if (envelope.version === 1) return headerOf(checked(BackupRecord, envelope.record, where))
  const header = envelope.header as Partial<BackupRecord> | undefined
  // The parts of a record that a header has are checked as those of a whole one.
  const filled = { ...header, blueprint: { name: '' }, artifacts: {}, phases: [] }
  return { ...headerOf(checked(BackupRecord, filled, where)), ...(envelope.key === undefined ? {} : { key: envelope.key }) }
}

function boundTo(header: unknown): string {
  return `${recordFormat} v${recordVersion} ${canonicalJson(header)}`
}

function checked(schema: typeof BackupRecord, value: unknown, where: string): BackupRecord {
  const [finding] = check(schema, value)
  if (finding) throw badRecord(where, `${finding.at === '' ? 'record' : finding.at} ${finding.message}`)
  // `check` has found nothing, so it is one.
  return value as BackupRecord
}

function altered(where: string): unknown {
  return catalogError(
    'CATALOG_ALTERED',
    `${where} was changed after it was written: its readable part and its seal do not belong together`,
  )
}

function parseEnvelope(json: string, where: string): Envelope {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    throw badRecord(where, 'it is not JSON', error)
  }
  if (typeof value !== 'object' || value === null || !('format' in value) || value.format !== recordFormat) {
    throw badRecord(where, `it does not say format "${recordFormat}"`)
  }
  if (!('version' in value) || typeof value.version !== 'number') throw badRecord(where, 'it lacks its version')
  if (value.version > recordVersion) {
    const text = `${where} has version ${value.version} of the record format, this engine knows up to ${recordVersion}: use a newer engine`
    throw catalogError('CATALOG_NEWER_RECORD', text)
  }
  const envelope = value as Partial<Record<keyof Envelope, unknown>> & { readonly version: number }
  const isWhole =
    envelope.version === 1 ? 'record' in value : typeof envelope.sealed === 'string' && typeof envelope.key === 'string'
  if (!isWhole) throw badRecord(where, 'it lacks its record')
  return value as Envelope
}

function badRecord(where: string, why: string, cause?: unknown): unknown {
  return catalogError('CATALOG_BAD_RECORD', `${where} is not a record of a backup: ${why}`, { cause })
}
