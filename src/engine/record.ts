import type { Run } from '../api/run.ts'
import type { ResolvedProfile } from '../store/profile-json.ts'

/** What there is to say about a backup that is complete: everything in it is final. */
export interface FinishedBackup {
  readonly run: Run
  readonly actionIndex: number
  readonly profile: ResolvedProfile
}

/** Writes the record beside the data and returns its key. Repeating it for the same action must write the same key. */
export type RecordWriter = (backup: FinishedBackup, signal: AbortSignal) => Promise<string>
