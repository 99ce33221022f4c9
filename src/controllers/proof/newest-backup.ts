import type { ObjectReference } from '../../api/object-reference.ts'
import { catalogError } from '../../catalog/errors.ts'
import { findRecordBytes, listRecords, type ListedRecord } from '../../catalog/list-records.ts'
import type { Catalog } from '../../catalog/open-catalog.ts'
import { parseHeader } from '../../catalog/record.ts'

/** A backup that is to be proven. */
export interface ProvableBackup {
  /** Key of its record, below the prefix of the location. */
  readonly record: string
  readonly object: ObjectReference
}

export interface NewestBackupQuestion {
  readonly catalog: Catalog
  /** Whose backups count, see `readOwned`. */
  readonly installations: readonly string[]
  readonly schedule: string
  readonly object: ObjectReference
}

/** Of so many newest records, those of other Schedules and installations among them. */
const mostRead = 50

/** The newest backup that this Schedule has of an object in the catalog. */
export async function findNewestBackup(
  { catalog, installations, schedule, object }: NewestBackupQuestion,
  signal: AbortSignal,
): Promise<ProvableBackup | undefined> {
  let newest: ListedRecord[] = []
  for await (const listed of listRecords(catalog.location, { object, signal })) newest = [...newest.slice(1 - mostRead), listed]
  for (const { key } of newest.toReversed()) {
    const header = await readHeader(catalog, key, signal)
    // What no engine can read is the newest backup too, and nothing could be worse: its proof says so.
    if (header === 'damaged') return { record: key, object }
    if (header?.schedule === schedule && installations.includes(header.installation.id))
      return { record: key, object: header.object }
  }
  return undefined
}

async function readHeader(
  { location }: Catalog,
  key: string,
  signal: AbortSignal,
): Promise<ReturnType<typeof parseHeader> | 'damaged' | undefined> {
  const bytes = await findRecordBytes(location, key, { signal })
  // Removed while we looked.
  if (!bytes) return undefined
  try {
    return parseHeader(Buffer.from(bytes).toString(), `object "${key}" in ${location.description}`)
  } catch (error) {
    if (catalogError.is(error, 'CATALOG_NEWER_RECORD')) return undefined
    if (catalogError.is(error, 'CATALOG_BAD_RECORD')) return 'damaged'
    throw error
  }
}
