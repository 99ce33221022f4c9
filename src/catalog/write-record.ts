import type { ObjectStore } from '../store/object-store.ts'
import type { ResolvedProfile } from '../store/profile-json.ts'
import { withPrefix } from '../store/with-prefix.ts'
import { type FinishedBackup, type RecordAuthor, buildRecord } from './build-record.ts'
import { renderRecord } from './record.ts'
import { recordKey } from './record-key.ts'

export interface RecordWriterDeps extends RecordAuthor {
  /** The bucket of a Profile, from its root. */
  openStore(profile: ResolvedProfile): Promise<ObjectStore>
}

/**
 * Makes the function that writes the record of a finished backup beside its data and gives its key below the location's prefix.
 * To be called last, when all data and artifacts are final, so that a record always has its data. Writing it again is harmless.
 */
export function createRecordWriter(deps: RecordWriterDeps): (backup: FinishedBackup, signal: AbortSignal) => Promise<string> {
  return async (backup, signal) => {
    const record = buildRecord(backup, deps)
    const key = recordKey(record)
    const location = withPrefix(await deps.openStore(backup.profile), backup.profile.location.prefix)
    await location.put(key, Buffer.from(renderRecord(record)), { signal })
    return key
  }
}
