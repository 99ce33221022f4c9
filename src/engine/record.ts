import type { FinishedBackup } from '../catalog/build-record.ts'

/** Writes the record beside the data and returns its key. Repeating it for the same action must write the same key. */
export type RecordWriter = (
  backup: FinishedBackup,
  signal: AbortSignal,
  /** Of what the record lacks although it was wanted. */
  warn: (message: string) => void,
) => Promise<string>
