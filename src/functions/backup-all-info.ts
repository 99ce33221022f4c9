import { goJson } from '../base/go-json.ts'
import { map, object, optional, text, type TypeOf } from '../schema/build.ts'
import { check, fits } from '../schema/check.ts'
import { functionError } from './errors.ts'

/** What BackupDataAll says of one pod, in Kanister's words and order of fields. */
const PodBackup = object({
  PodName: optional(text('Name of the pod.')),
  BackupID: text('Short id of the snapshot.'),
  BackupTag: optional(text('Its tag.')),
})
export type PodBackup = TypeOf<typeof PodBackup>

const BackupAllInfo = map(PodBackup, 'Backups by pod.')

/** The argument of the functions that read it. */
export const backupInfoArg = text('Output `BackupAllInfo` of BackupDataAll.')

/** As Go prints a map of structs: pods sorted, no blanks. */
export function renderBackupAllInfo(backups: readonly Required<PodBackup>[]): string {
  const sorted = backups.toSorted((a, b) => (a.PodName < b.PodName ? -1 : 1))
  return goJson(Object.fromEntries(sorted.map((backup) => [backup.PodName, backup])))
}

/** By the name of the pod. FUNCTION_BAD_ARGS when the text is not an output of BackupDataAll. */
export function parseBackupAllInfo(json: string): ReadonlyMap<string, PodBackup> {
  const value = readJson(json)
  if (!fits(BackupAllInfo, value)) throw notInfo(check(BackupAllInfo, value).map(({ at, message }) => `${at} ${message}`))
  const backups = Object.entries(value)
  const odd = backups.filter(([pod]) => !/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/.test(pod))
  // A name becomes a part of the repository's path: none may lead elsewhere.
  if (odd.length > 0) throw notInfo(odd.map(([pod]) => `"${pod}" is no name of a pod`))
  const nameless = backups.filter(([, { BackupID, BackupTag }]) => !BackupID && !BackupTag)
  if (nameless.length > 0) throw notInfo(nameless.map(([pod]) => `pod ${pod} has neither BackupID nor BackupTag`))
  return new Map(backups)
}

function readJson(json: string): unknown {
  try {
    return JSON.parse(json) as unknown
  } catch {
    throw notInfo(['it is not JSON'])
  }
}

function notInfo(reasons: readonly string[]): Error {
  return functionError(
    'FUNCTION_BAD_ARGS',
    `backupInfo must be the output BackupAllInfo of BackupDataAll: ${reasons.slice(0, 3).join('; ')}`,
  )
}
