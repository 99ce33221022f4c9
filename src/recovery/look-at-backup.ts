import type { BackupRecord } from '../catalog/record.ts'
import { findRecordBytes } from '../catalog/list-records.ts'
import { findRecordKey } from '../catalog/record-key.ts'
import { checkChains } from './chains.ts'
import { locateData } from './data-sources.ts'
import { recoveryError } from './errors.ts'
import { OpenedRepositories } from './open-repositories.ts'
import type { RecoveryPlace } from './place.ts'
import { type Backup, openBackup } from './read-backups.ts'
import type { OpenedBackup } from './find-backup.ts'
import { checkSource } from './verify-backups.ts'

/** What a bucket says of one backup, without a byte of its data being read. */
export interface BackupLook {
  readonly backup: Backup
  /** What makes it no good. */
  readonly damage: readonly string[]
  /** What deserves a look and says nothing against it. */
  readonly notes: readonly string[]
  /** Key prefixes, below the bucket, of the repositories that hold its data. */
  readonly repositories: readonly string[]
}

/** Damage to the chain that makes all of it doubtful, whichever backup it is about. */
const structural: readonly string[] = ['gap', 'broken', 'unreadable']

/** Record, chain and the presence of what the record names. Small whatever the number of backups. */
export async function lookAtBackup(place: RecoveryPlace, key: string, signal: AbortSignal): Promise<BackupLook> {
  const backup = await readOne(place, key, signal)
  const { damage, notes } = await lookAtChain(place, backup, signal)
  if (!backup.record) {
    const { locked = false, message = 'cannot be read' } = backup.problem ?? {}
    if (locked) throw recoveryError('RECOVERY_LOCKED', message)
    return { backup, damage: [message, ...damage], notes, repositories: [] }
  }
  const data = await lookAtData(place, backup.record, signal)
  return {
    backup,
    damage: [...damage, ...data.damage],
    notes: [...notes, ...data.notes],
    repositories: data.repositories,
  }
}

/** A backup whose record opens; RECOVERY_ALTERED or RECOVERY_LOCKED where it does not. */
export async function getBackupByKey(place: RecoveryPlace, key: string, signal: AbortSignal): Promise<OpenedBackup> {
  const backup = await readOne(place, key, signal)
  if (backup.record) return { ...backup, record: backup.record }
  const { locked = false, message = 'cannot be read' } = backup.problem ?? {}
  throw recoveryError(locked ? 'RECOVERY_LOCKED' : 'RECOVERY_ALTERED', message)
}

async function readOne(place: RecoveryPlace, key: string, signal: AbortSignal): Promise<Backup> {
  const parts = findRecordKey(key)
  if (!parts)
    throw recoveryError('RECOVERY_NO_BACKUP', `"${key}" is no key of a record: give one as holdfast backup list shows it`)
  const bytes = await findRecordBytes(place.location, key, { signal })
  const listed = { key, ...parts }
  if (bytes) return openBackup(place, listed, Buffer.from(bytes).toString())
  const message = `the record ${key} is not in ${place.location.description}`
  return { ...listed, problem: { code: 'CATALOG_BAD_RECORD', message, locked: false } }
}

async function lookAtChain(
  place: RecoveryPlace,
  backup: Backup,
  signal: AbortSignal,
): Promise<Pick<BackupLook, 'damage' | 'notes'>> {
  if (place.keys.length === 0)
    throw recoveryError('RECOVERY_LOCKED', 'records and chains are checked with the recovery key, and there is none here')
  const object = backup.key.split('/').slice(2, 4).join('/')
  const found = await checkChains(place, [backup], signal, object)
  const about = found.filter(({ problem: { kind, message } }) => structural.includes(kind) || message.includes(backup.key))
  const lines = (young: boolean): string[] =>
    about.filter((finding) => finding.young === young).map(({ problem }) => `chain: ${problem.message}`)
  return { damage: lines(false), notes: lines(true) }
}

async function lookAtData(
  place: RecoveryPlace,
  record: BackupRecord,
  signal: AbortSignal,
): Promise<Omit<BackupLook, 'backup'>> {
  const opened = new OpenedRepositories(place)
  const { sources, missing } = await locateData(place, record, signal, opened)
  const locked = missing.filter(isLocked)
  const damage = missing.filter((message) => !isLocked(message))
  for (const source of sources)
    await checkSource(place, opened, source, (message) => damage.push(message), { readData: false, signal })
  const none = sources.length === 0 && missing.length === 0 ? ['its record names no data that is known here'] : []
  const repositories = sources.flatMap((source) => (source.kind === 'object' ? [] : [source.repository]))
  return { damage, notes: [...locked, ...none], repositories: [...new Set(repositories)] }
}

/** A repository with a key of the Blueprint's own: only a restore can tell. */
function isLocked(message: string): boolean {
  return /no key given opens/.test(message)
}
