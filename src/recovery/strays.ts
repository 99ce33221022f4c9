import { messageOf, nextOf } from '../base/errors.ts'
import { besideMark, manifestKey } from '../store/manifest.ts'
import { locateData } from './data-sources.ts'
import { valuesOf } from './data-values.ts'
import { OpenedRepositories } from './open-repositories.ts'
import type { RecoveryPlace } from './place.ts'
import type { Backup } from './read-backups.ts'

/** Data that no record names: a backup that did not end, one that was not catalogued, or one whose record was lost. */
export type Stray =
  | { readonly kind: 'snapshot'; readonly repository: string; readonly id: string; readonly time: number }
  /** Pushed by `kando`: the key below the bucket. Without a time where the store does not tell. */
  | { readonly kind: 'object'; readonly key: string; readonly time?: number }

export interface Strays {
  readonly strays: readonly Stray[]
  /** Why some of them may have an owner after all: records and repositories that no key opens, records whose data was not found. */
  readonly doubts: readonly string[]
}

/**
 * Goes through the repositories and the pushed objects of a place and takes away what records name. `backups` are all of the place.
 * Objects that other tools wrote are nobody's business.
 */
export async function findStrays(place: RecoveryPlace, backups: readonly Backup[], signal: AbortSignal): Promise<Strays> {
  const doubts = backups.flatMap(({ key, record, problem }) =>
    record ? [] : [`${key}: ${problem?.message ?? 'not readable'}`],
  )
  const opened = new OpenedRepositories(place)
  const snapshots = new Set<string>()
  const objects = new Set<string>()
  const unclear: string[] = []
  const layout = await readLayout(place, signal)
  for (const { key, record } of backups) {
    if (!record) continue
    const { sources, missing } = await locateData(place, record, signal, opened)
    if (missing.length > 0) doubts.push(`${key}: ${missing.join('; ')}`)
    if (sources.length === 0) unclear.push(...valuesOf(record).map(({ value }) => value))
    for (const source of sources) {
      if (source.kind === 'object') objects.add(source.key)
      else {
        snapshots.add(`${source.repository} ${source.snapshot}`)
        layout.repositories.add(source.repository)
      }
    }
  }
  const strays: Stray[] = []
  for (const repository of [...layout.repositories].toSorted()) {
    try {
      const found = await (await opened.open(repository, signal)).snapshots({ signal })
      for (const { id, time } of found)
        if (!snapshots.has(`${repository} ${id}`))
          strays.push({ kind: 'snapshot', repository, id, time: Number(time / 1_000_000n) })
    } catch (error) {
      signal.throwIfAborted()
      if (nextOf(error) !== 'stop') throw error
      doubts.push(`repository ${repository}: ${messageOf(error)}`)
    }
  }
  for (const [key, time] of layout.pushed)
    if (!objects.has(key)) strays.push({ kind: 'object', key, ...(time === undefined ? {} : { time }) })
  return { strays: strays.filter((stray) => !unclear.some((value) => mayName(value, stray))), doubts }
}

/**
 * Of a record whose data was not found by its values: the Blueprint alone may know how they become a key (a folder here, a name there, a URL). What
 * bears one of them is then not nobody's.
 */
function mayName(value: string, stray: Stray): boolean {
  if (stray.kind === 'snapshot') return value.includes(stray.id.slice(0, 8))
  const path = value.replace(/^[a-z0-9]+:\/\//, '').replaceAll(/^\/+|\/+$/g, '')
  const isTelling = path.includes('/') || path.length >= 8
  return (isTelling && stray.key.includes(path)) || value.includes(stray.key.split('/').at(-1) ?? stray.key)
}

/** Takes them away: snapshots are forgotten (a prune gives their space back), objects deleted with what stands beside them. */
export async function removeStrays(place: RecoveryPlace, strays: readonly Stray[], signal: AbortSignal): Promise<void> {
  const opened = new OpenedRepositories(place)
  const ofRepositories = Map.groupBy(
    strays.filter((stray) => stray.kind === 'snapshot'),
    ({ repository }) => repository,
  )
  for (const [repository, own] of ofRepositories) {
    const ids = own.map(({ id }) => id)
    await (await opened.open(repository, signal)).forgetSnapshots(ids, { signal })
  }
  const keys = strays.flatMap((stray) => (stray.kind === 'object' ? [stray.key, manifestKey(stray.key)] : []))
  if (keys.length > 0) await place.root.deleteMany(keys, { signal })
}

interface Layout {
  readonly repositories: Set<string>
  /** When objects with a manifest were written, by key. */
  readonly pushed: ReadonlyMap<string, number | undefined>
}

/** By one listing of everything below the prefix. */
async function readLayout(place: RecoveryPlace, signal: AbortSignal): Promise<Layout> {
  const configs = new Set<string>()
  const withKeys = new Set<string>()
  const pushed = new Map<string, number | undefined>()
  const end = manifestKey('')
  for await (const { key, modified } of place.root.list(place.prefix === '' ? '' : `${place.prefix}/`, { signal })) {
    if (key.endsWith('/config')) configs.add(key.slice(0, -'/config'.length))
    const [, repository] = /^(.+)\/keys\/[0-9a-f]{64}$/.exec(key) ?? []
    if (repository !== undefined) withKeys.add(repository)
    if (key.includes(besideMark) && key.endsWith(end)) pushed.set(key.slice(0, -end.length), modified)
  }
  return { repositories: configs.intersection(withKeys), pushed }
}
