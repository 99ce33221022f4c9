import type { Backup } from './read-backups.ts'

/** Which backups of a catalog are meant. What is absent restricts nothing. */
export interface BackupSelector {
  /** Namespaces of the applications. */
  readonly namespaces?: readonly string[]
  /** Names of the applications' objects. */
  readonly names?: readonly string[]
  /** The newest of each object alone. */
  readonly newestOnly?: boolean
}

/**
 * Those that fit. An ActionSet comes whole: where one of its backups fits, the others come too. What cannot be read is left in as far as its key fits, so that
 * somebody says so.
 */
export function selectBackups(backups: readonly Backup[], selector: BackupSelector): Backup[] {
  const { namespaces, names, newestOnly = false } = selector
  const fitting = backups.filter(
    ({ namespace, name }) => (namespaces?.includes(namespace) ?? true) && (names?.includes(name) ?? true),
  )
  const wanted = newestOnly ? newestOfEach(fitting) : fitting
  const chosen = new Set(wanted)
  const whole = new Set(wanted.flatMap(({ record }) => record?.actionSet.uid ?? []))
  return backups.filter((backup) => chosen.has(backup) || (backup.record && whole.has(backup.record.actionSet.uid)))
}

/** Of those that can be read; the others stay, since nobody knows what they are. */
function newestOfEach(backups: readonly Backup[]): Backup[] {
  const newest = new Map<string, Backup>()
  for (const backup of backups) {
    const object = `${backup.namespace}/${backup.kind}/${backup.name}`
    const known = newest.get(object)
    if (backup.record && (!known || known.startedAt <= backup.startedAt)) newest.set(object, backup)
  }
  return backups.filter(
    (backup) => !backup.record || newest.get(`${backup.namespace}/${backup.kind}/${backup.name}`) === backup,
  )
}
