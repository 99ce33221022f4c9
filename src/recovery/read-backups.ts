import { HoldfastError } from '../base/errors.ts'
import { type ListRecordsOptions, type ListedRecord, findRecordBytes, listRecords } from '../catalog/list-records.ts'
import { type BackupRecord, type RecordHeader, parseHeader, parseRecord } from '../catalog/record.ts'
import { isKeyOf, recordKey } from '../catalog/record-key.ts'
import { catalogError } from '../catalog/errors.ts'
import type { RecoveryPlace } from './place.ts'

/** A record as far as it can be read. */
export interface Backup extends ListedRecord {
  readonly header?: RecordHeader
  /** With a key that opens it. */
  readonly record?: BackupRecord
  /** Why there is no record. `locked` when a key is all that is missing. */
  readonly problem?: { readonly code: string; readonly message: string; readonly locked: boolean }
}

const readsAtOnce = 16

/** All records of a place, by namespace, object and time. One that cannot be read says why, and hides no other. */
export async function* readBackups(place: RecoveryPlace, options: ListRecordsOptions = {}): AsyncGenerator<Backup> {
  const ahead: Array<Promise<Backup>> = []
  try {
    for await (const listed of listRecords(place.location, options)) {
      const read = readBackup(place, listed, options.signal)
      read.catch(() => {})
      ahead.push(read)
      if (ahead.length >= readsAtOnce) yield await (ahead.shift() as Promise<Backup>)
    }
    for (const read of ahead.splice(0)) yield await read
  } finally {
    await Promise.allSettled(ahead)
  }
}

async function readBackup(place: RecoveryPlace, listed: ListedRecord, signal: AbortSignal | undefined): Promise<Backup> {
  const bytes = await findRecordBytes(place.location, listed.key, signal ? { signal } : {})
  if (!bytes)
    return { ...listed, problem: { code: 'CATALOG_BAD_RECORD', message: `${listed.key} was removed meanwhile`, locked: false } }
  return openBackup(place, listed, Buffer.from(bytes).toString())
}

/** What a record's text says; pure. */
export function openBackup(place: Pick<RecoveryPlace, 'keys' | 'location'>, listed: ListedRecord, text: string): Backup {
  const where = `object "${listed.key}" in ${place.location.description}`
  let header: (RecordHeader & { readonly key?: string }) | undefined
  try {
    header = parseHeader(text, where)
    const { key: fingerprint, ...plain } = header
    const key = place.keys.find(({ catalog }) => catalog.fingerprint === fingerprint)?.catalog
    const record = parseRecord(text, where, key ?? place.keys[0]?.catalog)
    if (!isKeyOf(listed.key, record))
      throw catalogError(
        'CATALOG_ALTERED',
        `${where} is the record of another backup, ${recordKey(record)}: it was put in this place`,
      )
    return { ...listed, header: plain, record }
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.next !== 'stop') throw error
    const { code, message } = error
    return { ...listed, ...(header ? { header } : {}), problem: { code, message, locked: code === 'CATALOG_SEALED' } }
  }
}

/** For whoever keeps all backups of a place at hand: what leads to no data (manifests, Secrets, Blueprints) would not fit into memory ten thousand times. */
export function lightened(backup: Backup): Backup {
  if (!backup.record) return backup
  const { manifests: _manifests, images: _images, secrets: _secrets, scheduleManifest: _schedule, ...record } = backup.record
  const { body: _body, action: _action, ...blueprint } = record.blueprint
  return { ...backup, record: { ...record, blueprint } }
}

/** Bytes of data as far as the outputs of its phases tell. */
export function sizeOf({ phases }: Pick<BackupRecord, 'phases'>): number | undefined {
  const sizes = phases.flatMap(({ output }) => parseSize(output?.['size']) ?? [])
  return sizes.length === 0 ? undefined : sizes.reduce((sum, size) => sum + size, 0)
}

const units: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40, PiB: 2 ** 50 }

/** `3000000`, or `2.861 MiB` as BackupData writes it. */
function parseSize(value: unknown): number | undefined {
  const [, number = '', unit = 'B'] = /^(\d+(?:\.\d+)?)(?: ([KMGTP]?i?B))?$/.exec(typeof value === 'string' ? value : '') ?? []
  return number === '' ? undefined : Math.round(Number(number) * (units[unit] ?? 1))
}
