import { storeError } from '../store/errors.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { ResolvedProfile } from '../store/profile-json.ts'
import { withPrefix } from '../store/with-prefix.ts'
import { type FinishedBackup, type RecordAuthor, type Surroundings, buildRecord } from './build-record.ts'
import type { CatalogKey } from './catalog-key.ts'
import { renderRecord } from './record.ts'
import { recordKey } from './record-key.ts'

export interface RecordWriterDeps extends RecordAuthor {
  /** The bucket of a Profile, from its root. */
  openStore(profile: ResolvedProfile): Promise<ObjectStore>
  catalogKey(signal: AbortSignal): Promise<CatalogKey>
  /** What is to be kept beside the data. What cannot be read is said in it; it fails only with the signal. */
  surroundings?(backup: FinishedBackup, signal: AbortSignal): Promise<Surroundings>
}

/**
 * Makes the function that writes the record of a finished backup beside its data and gives its key below the location's prefix.
 * To be called last, when all data and artifacts are final, so that a record always has its data. Writing it again is harmless.
 */
export function createRecordWriter(
  deps: RecordWriterDeps,
): (backup: FinishedBackup, signal: AbortSignal, warn?: (message: string) => void) => Promise<string> {
  return async (backup, signal, warn = () => undefined) => {
    const surroundings = await deps.surroundings?.(backup, signal)
    surroundings?.warnings?.forEach((warning) => warn(warning))
    const record = buildRecord({ ...backup, ...(surroundings ? { surroundings } : {}) }, deps)
    const key = recordKey(record)
    const location = withPrefix(await deps.openStore(backup.profile), backup.profile.location.prefix)
    const text = renderRecord(record, await deps.catalogKey(signal))
    try {
      await location.put(key, Buffer.from(text), { signal, ifAbsent: true })
    } catch (error) {
      // An earlier attempt wrote it; phases and artifacts were durable by then, so it says the same. What is linked must not change.
      if (!storeError.is(error, 'STORE_EXISTS')) throw error
    }
    return key
  }
}
