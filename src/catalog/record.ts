import { Artifact } from '../api/artifact.ts'
import { ObjectReference } from '../api/object-reference.ts'
import { check } from '../schema/check.ts'
import { flag, freeObject, integer, list, map, object, optional, text, type TypeOf } from '../schema/build.ts'
import { catalogError } from './errors.ts'

/** The form written by this engine. Higher ones are refused by name; every lower one stays readable. */
export const recordVersion = 1
const recordFormat = 'holdfast.dev/backup-record'

/** What a backup is, for a person and for a restore on a cluster that never saw it. Holds no credentials. */
export const BackupRecord = object(
  {
    id: text('UID of the ActionSet and index of the action: the same for every repetition of the write.'),
    actionSet: object({ name: text('Name.'), namespace: text('Namespace.'), uid: text('UID.') }, 'The ActionSet.'),
    action: text('Name of the action in the Blueprint.'),
    object: ObjectReference,
    blueprint: object(
      {
        name: text('Name of the Blueprint.'),
        sha256: optional(text('Hash of the whole Blueprint as it was.')),
        templateLanguage: optional(text('Language of its templates.')),
        action: optional(freeObject('The action as it was in the Blueprint.')),
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
    installation: object({ id: text('UID that stays as long as the installation lives.') }, 'Who wrote it.'),
    engineVersion: text('Version of the engine.'),
    attempt: optional(integer('Which attempt of the action wrote it.')),
  },
  'One finished backup.',
)
export type BackupRecord = TypeOf<typeof BackupRecord>

/** JSON with indentation, since people read it in the bucket. What is added beside `record` later (a signature) covers it alone. */
export function renderRecord(record: BackupRecord): string {
  return `${JSON.stringify({ format: recordFormat, version: recordVersion, record }, null, 2)}\n`
}

/** Reads what `renderRecord` of any engine up to this one wrote. `where` names the object in errors. */
export function parseRecord(json: string, where: string): BackupRecord {
  const envelope = parseEnvelope(json, where)
  if (envelope.version > recordVersion) {
    const text = `${where} has version ${envelope.version} of the record format, this engine knows up to ${recordVersion}: use a newer engine`
    throw catalogError('CATALOG_NEWER_RECORD', text)
  }
  const [finding] = check(BackupRecord, envelope.record)
  if (finding) throw badRecord(where, `${finding.at === '' ? 'record' : finding.at} ${finding.message}`)
  // `check` has found nothing, so it is one.
  return envelope.record as BackupRecord
}

function parseEnvelope(json: string, where: string): { readonly version: number; readonly record: unknown } {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    throw badRecord(where, 'it is not JSON', error)
  }
  if (typeof value !== 'object' || value === null || !('format' in value) || value.format !== recordFormat) {
    throw badRecord(where, `it does not say format "${recordFormat}"`)
  }
  if (!('version' in value) || typeof value.version !== 'number' || !('record' in value)) {
    throw badRecord(where, 'it lacks version or record')
  }
  return { version: value.version, record: value.record }
}

function badRecord(where: string, why: string, cause?: unknown): unknown {
  return catalogError('CATALOG_BAD_RECORD', `${where} is not a record of a backup: ${why}`, { cause })
}
