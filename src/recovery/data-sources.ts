import { messageOf, nextOf } from '../base/errors.ts'
import type { BackupRecord } from '../catalog/record.ts'
import { findKeyPrefix } from '../functions/artifact-prefix.ts'
import { parseBackupAllInfo } from '../functions/backup-all-info.ts'
import { podRepository } from '../functions/pod-repository.ts'
import { repositoryError } from '../repository/errors.ts'
import { storeError } from '../store/errors.ts'
import { joinKey } from '../store/key.ts'
import { type RecordValue, isElsewhere, pathsOf, valuesOf } from './data-values.ts'
import { OpenedRepositories } from './open-repositories.ts'
import type { RecoveryPlace } from './place.ts'

/** Where bytes of a backup are. Keys are below the bucket. */
export type DataSource =
  | (Origin & {
      readonly kind: 'stream'
      readonly repository: string
      readonly snapshot: string
      readonly path?: string
      readonly sha256?: string
    })
  | (Origin & { readonly kind: 'files'; readonly repository: string; readonly snapshot: string })
  | (Origin & { readonly kind: 'object'; readonly key: string })

interface Origin {
  /** What names it: a phase or an artifact. Either may be given to choose. */
  readonly phase?: string
  readonly artifact?: string
  /** For people: `dump`, `pod db-0`. */
  readonly name: string
  readonly sizeBytes?: number
}

export interface LocatedData {
  readonly sources: readonly DataSource[]
  /** What the record names and is not there, or cannot be opened. */
  readonly missing: readonly string[]
}

/** A snapshot that a record names. */
interface Wanted extends Omit<RecordValue, 'field' | 'value'> {
  readonly id: string
  /** Repositories it may be in; all that were found, where empty. */
  readonly repositories: readonly string[]
  readonly stream?: { readonly path?: string; readonly sha256?: string; readonly sizeBytes?: number }
  readonly name: string
  /** A phase of a known function says that it wrote it, so its absence is damage. */
  readonly sure: boolean
}

/**
 * Finds what a backup consists of, from outputs of functions that are known, and, for any other Blueprint, by looking at what each value of its
 * artifacts names: a repository, a snapshot in one of these, or an object that `kando` pushed.
 */
export async function locateData(
  place: RecoveryPlace,
  record: Pick<BackupRecord, 'artifacts' | 'phases'>,
  signal: AbortSignal,
  opened: OpenedRepositories = new OpenedRepositories(place),
): Promise<LocatedData> {
  const values = valuesOf(record)
  const wanted = wantedOf(place, record, values)
  const paths = pathsOf(place, values)
  const repositories = new Set<string>()
  const objects: DataSource[] = []
  for (const { key, ...origin } of paths) {
    if (await isThere(place, `${key}/config`, signal)) repositories.add(key)
    else {
      const found = await headOf(place, key, signal)
      if (found && !objects.some((known) => known.kind === 'object' && known.key === key))
        objects.push({
          kind: 'object',
          ...originOf(origin),
          name: origin.artifact ?? origin.phase ?? key,
          key,
          sizeBytes: found.sizeBytes,
        })
    }
  }
  const missing: string[] = []
  const snapshots: DataSource[] = []
  for (const one of wanted) {
    const source = await findSnapshot(opened, one, [...repositories], { signal, missing })
    const known = source && snapshots.find((other) => sameSnapshot(other, source))
    if (known) snapshots.splice(snapshots.indexOf(known), 1, { ...source, ...known })
    else if (source) snapshots.push(source)
  }
  const sources = [...snapshots, ...objects]
  if (missing.length === 0 && !isElsewhere(record)) missing.push(...unexplained(place, values, sources, repositories))
  return { sources, missing: [...new Set(missing)] }
}

/** Artifacts with something like a path in them, of which nothing is there. */
function unexplained(
  place: RecoveryPlace,
  values: readonly RecordValue[],
  sources: readonly DataSource[],
  repositories: ReadonlySet<string>,
): string[] {
  const names = new Set(values.flatMap(({ artifact }) => artifact ?? []))
  return [...names].flatMap((artifact) => {
    const own = values.filter((value) => value.artifact === artifact)
    const paths = pathsOf(place, own)
    const isFound = sources.some((source) =>
      source.kind === 'object'
        ? paths.some(({ key }) => key === source.key)
        : own.some(({ value }) => value.length >= 8 && source.snapshot.startsWith(value)) ||
          paths.some(({ key }) => `${source.repository}/`.startsWith(`${key}/`)),
    )
    const lost = paths.filter(({ key, value }) => value.includes('/') && !value.includes('://') && !repositories.has(key))
    const onlyRepository = sources.length === 0 && paths.some(({ key }) => repositories.has(key))
    if (isFound || (lost.length === 0 && !onlyRepository)) return []
    return [
      `artifact ${artifact}: nothing that it names is in the bucket (${lost.map(({ key }) => key).join(', ') || 'its repository holds no such snapshot'})`,
    ]
  })
}

const writers = new Set(['BackupData', 'CopyVolumeData', 'PrepareData', 'BackupDataAll', 'BackupStream'])

function wantedOf(place: RecoveryPlace, { phases }: Pick<BackupRecord, 'phases'>, values: readonly RecordValue[]): Wanted[] {
  const ofPhases = phases.flatMap(({ name: phase, func = '', output = {} }): Wanted[] => {
    const text = (field: string): string => (typeof output[field] === 'string' ? output[field] : '')
    const sure = writers.has(func)
    if (func === 'BackupStream') {
      const size = Number(text('size'))
      const stream = {
        path: text('path'),
        sha256: text('sha256'),
        ...(text('size') !== '' && Number.isFinite(size) ? { sizeBytes: size } : {}),
      }
      const repositories = [joinKey(place.prefix, text('repository'))]
      return [{ phase, id: text('snapshotID'), repositories, stream, name: phase, sure }]
    }
    if (text('BackupAllInfo') !== '') return ofPods(place, text('BackupAllInfo'), values, { phase, sure })
    const prefix = text('backupArtifactLocation')
    const repositories = prefix === '' ? [] : [findKeyPrefix(place.bucket, prefix) ?? []].flat()
    return text('backupID') === '' ? [] : [{ phase, id: text('backupID'), repositories, name: phase, sure }]
  })
  const told = new Set(ofPhases.map(({ id }) => id))
  const ofArtifacts = values.flatMap(({ artifact, field, value }): Wanted[] => {
    if (artifact === undefined) return []
    if (value.startsWith('{') && value.includes('BackupID') && ofPhases.length === 0)
      return ofPods(place, value, values, { artifact, sure: false })
    const isId = /^[0-9a-f]{8}$|^[0-9a-f]{64}$/.test(value) && field.toLowerCase() !== 'sha256'
    return isId
      ? [{ artifact, id: value, repositories: [], name: told.has(value) ? artifact : `${artifact}.${field}`, sure: false }]
      : []
  })
  return [...ofPhases.filter(({ id }) => id !== ''), ...ofArtifacts]
}

function ofPods(
  place: RecoveryPlace,
  info: string,
  values: readonly RecordValue[],
  origin: { readonly phase?: string; readonly artifact?: string; readonly sure: boolean },
): Wanted[] {
  try {
    return [...parseBackupAllInfo(info)].flatMap(([pod, { BackupID }]) => {
      const repositories = pathsOf(place, values).map(({ key }) => podRepository(key, pod))
      return BackupID === undefined
        ? []
        : [{ ...origin, id: BackupID, repositories: [...new Set(repositories)], name: `pod ${pod}` }]
    })
  } catch {
    // Text of another tool that only looks like it.
    return []
  }
}

interface Search {
  readonly signal: AbortSignal
  readonly missing: string[]
}

async function findSnapshot(
  opened: OpenedRepositories,
  wanted: Wanted,
  found: readonly string[],
  { signal, missing }: Search,
): Promise<DataSource | undefined> {
  const places = wanted.repositories.length > 0 ? wanted.repositories : found
  let reason = places.length === 0 ? 'no value of the record names a repository that is there' : ''
  for (const repository of places) {
    try {
      const handle = await opened.open(repository, signal)
      const snapshot = await handle.findSnapshot({ id: wanted.id }, { signal })
      if (!snapshot) {
        reason = `the repository "${repository}" has no such snapshot`
        continue
      }
      const { stream, name } = wanted
      const sizeBytes = stream?.sizeBytes ?? snapshot.summary?.totalBytes
      const common = {
        ...originOf(wanted),
        name,
        repository,
        snapshot: snapshot.id,
        ...(sizeBytes === undefined ? {} : { sizeBytes }),
      }
      return stream
        ? {
            kind: 'stream',
            ...common,
            ...(stream.path ? { path: stream.path } : {}),
            ...(stream.sha256 ? { sha256: stream.sha256 } : {}),
          }
        : { kind: 'files', ...common }
    } catch (error) {
      signal.throwIfAborted()
      if (nextOf(error) !== 'stop') throw error
      // One of several guesses that is no repository says nothing.
      if (repositoryError.is(error, 'REPOSITORY_NOT_FOUND') && places.length > 1) reason ||= messageOf(error)
      else reason = messageOf(error)
    }
  }
  if (wanted.sure) missing.push(`snapshot ${wanted.id.slice(0, 8)} (${wanted.name}): ${reason}`)
  return undefined
}

function originOf({
  phase,
  artifact,
}: {
  readonly phase?: string
  readonly artifact?: string
}): Pick<Origin, 'phase' | 'artifact'> {
  return { ...(phase === undefined ? {} : { phase }), ...(artifact === undefined ? {} : { artifact }) }
}

function sameSnapshot(a: DataSource, b: DataSource): boolean {
  return a.kind !== 'object' && b.kind !== 'object' && a.snapshot === b.snapshot && a.repository === b.repository
}

async function isThere(place: RecoveryPlace, key: string, signal: AbortSignal): Promise<boolean> {
  return (await headOf(place, key, signal)) !== undefined
}

/** A value that is no key at all names nothing. */
async function headOf(place: RecoveryPlace, key: string, signal: AbortSignal): ReturnType<RecoveryPlace['root']['head']> {
  try {
    return await place.root.head(key, { signal })
  } catch (error) {
    if (storeError.is(error, 'STORE_BAD_KEY', 'STORE_NOT_FOUND')) return undefined
    throw error
  }
}
