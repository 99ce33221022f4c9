import { type ObjectReference, kindOrResource } from '../api/object-reference.ts'
import type { BackupRecord } from './record.ts'

/** Folder of all records, below the prefix of the location. */
export const recordsFolder = 'holdfast/records'

/** What the key alone says: enough to list and to sort ten thousand backups without reading one. */
export interface RecordKey {
  readonly namespace: string
  /** Lower case, as in `statefulset`. */
  readonly kind: string
  readonly name: string
  /** Epoch ms, whole seconds. */
  readonly startedAt: number
  readonly id: string
}

type Keyed = Pick<BackupRecord, 'id' | 'object' | 'startedAt'>

/** `holdfast/records/<namespace>/<kind>-<name>/<time>-<id>.json`: in a listing, an object's backups stand together and in order. */
export function recordKey(record: Keyed): string {
  return keyIn(objectFolder(record.object), record)
}

/** True if the record belongs there. Those of objects that were named by their resource alone once stood under no kind. */
export function isKeyOf(key: string, record: Keyed): boolean {
  return key === recordKey(record) || (record.object.kind === '' && key === keyIn(folderOfKind(record.object, ''), record))
}

function keyIn(folder: string, { id, startedAt }: Keyed): string {
  return `${recordsFolder}/${folder}/${compactTime(Date.parse(startedAt))}-${encodeURIComponent(id)}.json`
}

/** The folder of one object's records, without the records folder. Objects without a namespace stand under `_cluster`. */
export function objectFolder(object: ObjectReference): string {
  return folderOfKind(object, (kindOrResource(object) || 'object').toLowerCase())
}

function folderOfKind(object: ObjectReference, kind: string): string {
  const namespace = kind === 'namespace' ? (object.name ?? object.namespace ?? '') : (object.namespace ?? '')
  return `${encodeURIComponent(namespace || '_cluster')}/${encodeURIComponent(kind)}-${encodeURIComponent(object.name ?? '')}`
}

/** Undefined for other things that lie in the folder. */
export function findRecordKey(key: string): RecordKey | undefined {
  const match = /^holdfast\/records\/([^/]+)\/([^/-]*)-([^/]*)\/(\d{8}T\d{6}Z)-([^/]+)\.json$/.exec(key)
  if (!match) return undefined
  const [namespace = '', kind = '', name = '', time = '', id = ''] = match.slice(1).map(decodePart)
  const startedAt = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
  return Number.isNaN(startedAt) ? undefined : { namespace, kind, name, startedAt, id }
}

function compactTime(ms: number): string {
  return new Date(ms)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(/[-:]/g, '')
}

/** A part of a key of the catalog, as it was before it became one. */
export function decodePart(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A stray percent sign: not written by us, shown as it is.
    return text
  }
}
