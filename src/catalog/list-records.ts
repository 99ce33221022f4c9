import type { ObjectReference } from '../api/object-reference.ts'
import { HoldfastError } from '../base/errors.ts'
import { storeError } from '../store/errors.ts'
import type { CallOptions, ObjectStore } from '../store/object-store.ts'
import { type BackupRecord, parseRecord } from './record.ts'
import type { CatalogKey } from './catalog-key.ts'
import { type RecordKey, findRecordKey, objectFolder, recordsFolder } from './record-key.ts'

const largestRecordBytes = 16 * 1024 * 1024
const readsAtOnce = 8

export interface ListRecordsOptions extends CallOptions {
  readonly namespace?: string
  /** With kind, name and namespace: the records of one object. */
  readonly object?: ObjectReference
}

export interface ReadRecordsOptions extends ListRecordsOptions {
  /** Opens sealed records. */
  readonly key?: CatalogKey
}

export interface ListedRecord extends RecordKey {
  readonly key: string
}

/** A record, or why it cannot be read; a bad one does not hide the others. */
export type ReadRecord = ListedRecord & ({ readonly record: BackupRecord } | { readonly problem: HoldfastError })

/** What there is, from the keys alone, by namespace, object and time. `location` is a store below the location's prefix. */
export async function* listRecords(location: ObjectStore, options: ListRecordsOptions = {}): AsyncGenerator<ListedRecord> {
  for await (const { key } of location.list(folderOf(options), options)) {
    const parts = findRecordKey(key)
    if (parts) yield { key, ...parts }
  }
}

/** The same with contents, in the same order, a few being fetched ahead. */
export async function* readRecords(location: ObjectStore, options: ReadRecordsOptions = {}): AsyncGenerator<ReadRecord> {
  const ahead: Array<Promise<ReadRecord>> = []
  try {
    for await (const listed of listRecords(location, options)) {
      const read = readOne(location, listed, options)
      // Whoever stops early leaves some behind.
      read.catch(() => {})
      ahead.push(read)
      if (ahead.length >= readsAtOnce) yield await (ahead.shift() as Promise<ReadRecord>)
    }
    for (const read of ahead.splice(0)) yield await read
  } finally {
    await Promise.allSettled(ahead)
  }
}

export async function getRecord(
  location: ObjectStore,
  key: string,
  options: Pick<ReadRecordsOptions, 'key' | 'signal'> = {},
): Promise<BackupRecord> {
  const { signal } = options
  const bytes = await location.get(key, { ...(signal ? { signal } : {}), limitBytes: largestRecordBytes })
  return parseRecord(Buffer.from(bytes).toString(), `object "${key}" in ${location.description}`, options.key)
}

/** The bytes of a record as they were written; undefined when it is gone. */
export async function findRecordBytes(
  location: ObjectStore,
  key: string,
  options: CallOptions = {},
): Promise<Uint8Array | undefined> {
  try {
    return await location.get(key, { ...options, limitBytes: largestRecordBytes })
  } catch (error) {
    if (storeError.is(error, 'STORE_NOT_FOUND')) return undefined
    throw error
  }
}

async function readOne(location: ObjectStore, listed: ListedRecord, options: ReadRecordsOptions): Promise<ReadRecord> {
  try {
    return { ...listed, record: await getRecord(location, listed.key, options) }
  } catch (error) {
    options.signal?.throwIfAborted()
    if (error instanceof HoldfastError && error.next === 'stop') return { ...listed, problem: error }
    throw error
  }
}

function folderOf({ namespace, object }: ListRecordsOptions): string {
  if (object) return `${recordsFolder}/${objectFolder(object)}/`
  return namespace === undefined ? `${recordsFolder}/` : `${recordsFolder}/${encodeURIComponent(namespace)}/`
}
