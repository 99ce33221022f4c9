import { messageOf, nextOf } from '../base/errors.ts'
import { findManifest } from '../store/manifest.ts'
import { checkChains } from './chains.ts'
import { type DataSource, locateData } from './data-sources.ts'
import { describeSource, downloadStream } from './download.ts'
import { recoveryError } from './errors.ts'
import { OpenedRepositories } from './open-repositories.ts'
import type { RecoveryPlace } from './place.ts'
import type { Backup } from './read-backups.ts'

export interface VerifyFinding {
  /** `damage` fails; `warning` deserves a look. */
  readonly level: 'damage' | 'warning'
  /** A backup, an object of the cluster, or a repository. */
  readonly about: string
  readonly message: string
}

export interface VerifyReport {
  readonly findings: readonly VerifyFinding[]
  readonly backups: number
  readonly sound: number
  readonly repositories: number
  readonly bytesRead: number
}

export interface VerifyOptions {
  /** Read every byte, not only what leads to it. */
  readonly readData: boolean
  readonly signal: AbortSignal
  readonly onProgress?: (backup: string, bytesRead: number) => void
}

/**
 * Everything that can be known to be wrong without a cluster: the chain of each object, each record, and that what records name is there and sound.
 * `all` are the backups of the place (the chain speaks of all of an object), `chosen` those whose data is looked at.
 */
export async function verifyBackups(
  place: RecoveryPlace,
  all: readonly Backup[],
  chosen: readonly Backup[],
  options: VerifyOptions,
): Promise<VerifyReport> {
  if (place.keys.length === 0)
    throw recoveryError('RECOVERY_LOCKED', 'records and chains are checked with the recovery key: give --recovery-key-file')
  const { signal } = options
  const findings: VerifyFinding[] = []
  const objects = new Set(chosen.map(({ key }) => key.split('/').slice(2, 4).join('/')))
  for (const { object, problem, young } of await checkChains(place, all, signal))
    if (chosen.length === all.length || objects.has(object))
      findings.push({ level: young ? 'warning' : 'damage', about: object, message: problem.message })
  const opened = new OpenedRepositories(place)
  const used = new Set<string>()
  let [sound, bytesRead] = [0, 0]
  for (const backup of chosen) {
    const about = backup.header?.actionSet.name ?? backup.key
    const note = (message: string): void => void findings.push({ level: 'damage', about, message })
    if (!backup.record) {
      note(backup.problem?.message ?? 'cannot be read')
      continue
    }
    const { sources, missing } = await locateData(place, backup.record, signal, opened)
    const before = findings.length
    for (const message of missing) note(message)
    for (const source of sources) {
      if (source.kind !== 'object') used.add(source.repository)
      bytesRead += await checkSource(place, opened, source, note, options)
      options.onProgress?.(about, bytesRead)
    }
    if (sources.length === 0 && missing.length === 0)
      findings.push({ level: 'warning', about, message: 'its record names no data' })
    if (findings.length === before) sound++
  }
  for (const repository of used) bytesRead += await checkRepository(opened, repository, findings, options)
  return { findings, backups: chosen.length, sound, repositories: used.size, bytesRead }
}

/** Whether one source is there as it was written; with `readData`, every byte of it. Gives the bytes read. */
export async function checkSource(
  place: RecoveryPlace,
  opened: OpenedRepositories,
  source: DataSource,
  note: (message: string) => void,
  { readData, signal }: Pick<VerifyOptions, 'readData' | 'signal'>,
): Promise<number> {
  let bytesRead = 0
  try {
    if (source.kind === 'object') {
      const manifest = await findManifest(place.root, source.key, { signal })
      if (manifest && manifest.sizeBytes !== source.sizeBytes)
        throw recoveryError(
          'RECOVERY_ALTERED',
          `object "${source.key}" has ${source.sizeBytes ?? 0} bytes, and ${manifest.sizeBytes} were pushed: it was truncated or replaced`,
        )
    }
    // Files are read with their repository.
    if (readData && source.kind !== 'files')
      for await (const bytes of downloadStream(place, opened, source, { signal })) bytesRead += bytes.length
  } catch (error) {
    signal.throwIfAborted()
    if (nextOf(error) !== 'stop' && !isAboutBytes(error)) throw error
    note(`${describeSource(source)}: ${messageOf(error)}`)
  }
  return bytesRead
}

/** What a store says of bytes that differ may be a fault of the way; that they still differ after its own repetitions is a finding. */
function isAboutBytes(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : ''
  return code === 'STORE_TRUNCATED' || code === 'STORE_CHECKSUM'
}

async function checkRepository(
  opened: OpenedRepositories,
  key: string,
  findings: VerifyFinding[],
  { readData, signal }: VerifyOptions,
): Promise<number> {
  const about = `repository ${key}`
  try {
    const repository = await opened.open(key, signal)
    const report = await repository.check({ readData, signal })
    for (const { object, problem } of report.findings)
      findings.push({ level: 'damage', about, message: `${object}: ${problem}` })
    return report.readBytes
  } catch (error) {
    signal.throwIfAborted()
    if (nextOf(error) !== 'stop' && !isAboutBytes(error)) throw error
    findings.push({ level: 'damage', about, message: messageOf(error) })
    return 0
  }
}
