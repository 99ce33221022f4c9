import type { BackupRecord } from '../catalog/record.ts'
import { recoveryError } from './errors.ts'
import type { RecoveryPlace } from './place.ts'
import { type Backup, readBackups } from './read-backups.ts'

/** A backup whose record a key opened. */
export interface OpenedBackup extends Backup {
  readonly record: BackupRecord
}

/** By the name of its ActionSet, its id or the beginning of the id, or `<namespace>/<kind>/<name>` for the newest of an object. */
export async function findBackup(
  place: RecoveryPlace,
  name: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Backup> {
  const found: Backup[] = []
  const object = /^([^/]+)\/([^/]+)\/([^/]+)$/.exec(name)
  for await (const backup of readBackups(place, options)) {
    if (object ? isOf(backup, object) : isCalled(backup, name)) found.push(backup)
  }
  const newest = found.toSorted((a, b) => a.startedAt - b.startedAt).at(-1)
  if (!newest) {
    const text = `no backup at ${place.location.description} goes by "${name}": give the name or id of one, or namespace/kind/name for the newest of an object (holdfast backup list)`
    throw recoveryError('RECOVERY_NO_BACKUP', text)
  }
  if (!object && found.length > 1) {
    const ids = found.map(({ id }) => id).join(', ')
    throw recoveryError('RECOVERY_NO_BACKUP', `${found.length} backups go by "${name}": give the id of one of ${ids}`)
  }
  return newest
}

/** The same, refused when it cannot be read. */
export async function getBackup(
  place: RecoveryPlace,
  name: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<OpenedBackup> {
  const backup = await findBackup(place, name, options)
  if (backup.record) return { ...backup, record: backup.record }
  const { locked = false, message = '' } = backup.problem ?? {}
  const wayOut = locked ? '; give that key with --recovery-key-file' : ''
  throw recoveryError(locked ? 'RECOVERY_LOCKED' : 'RECOVERY_ALTERED', `${message}${wayOut}`)
}

function isCalled({ id, header }: Backup, name: string): boolean {
  return header?.actionSet.name === name || id === name || (name.length >= 6 && id.startsWith(name))
}

function isOf({ namespace, kind, name }: Backup, [, ns, wantedKind, wantedName]: RegExpExecArray): boolean {
  return namespace === ns && kind === wantedKind?.toLowerCase() && name === wantedName
}
