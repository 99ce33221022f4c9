import { toRfc3339 } from '../base/clock.ts'
import { type Takeover, ownerOf, readTakeovers, writeTakeover } from '../catalog/takeover.ts'
import type { RecoveryPlace } from './place.ts'
import type { Backup } from './read-backups.ts'
import { recoveryError } from './errors.ts'

/** An installation that wrote into a place. */
export interface Writer {
  readonly installation: string
  readonly cluster?: string
  readonly backups: number
  readonly firstAt: string
  readonly lastAt: string
  /** Who may remove its backups. */
  readonly owner: string
}

/** Who wrote here, the latest first. */
export async function writersOf(place: RecoveryPlace, backups: readonly Backup[], signal: AbortSignal): Promise<Writer[]> {
  const takeovers = await readTakeovers(
    place.location,
    place.keys.map(({ catalog }) => catalog),
    { signal },
  )
  const groups = Map.groupBy(
    backups.filter(({ header }) => header),
    ({ header }) => header?.installation.id ?? '',
  )
  return [...groups]
    .map(([installation, own]): Writer => {
      const ends = own.map(({ header }) => header?.finishedAt ?? '').toSorted()
      const cluster = own.findLast(({ header }) => header?.installation.cluster)?.header?.installation.cluster
      return {
        installation,
        ...(cluster === undefined ? {} : { cluster }),
        backups: own.length,
        firstAt: ends[0] ?? '',
        lastAt: ends.at(-1) ?? '',
        owner: ownerOf(installation, takeovers),
      }
    })
    .toSorted((a, b) => (a.lastAt > b.lastAt ? -1 : 1))
}

/** One that wrote within this time may well live. */
const quietMs = 24 * 3600_000

/** Takes over the backups of `from`. RECOVERY_FOREIGN when it wrote within a day and it is not forced. */
export async function takeOver(
  place: RecoveryPlace,
  from: Writer,
  {
    to,
    toCluster,
    nowMs,
    force,
    signal,
  }: {
    readonly to: string
    readonly toCluster?: string
    readonly nowMs: number
    readonly force: boolean
    readonly signal: AbortSignal
  },
): Promise<Takeover> {
  const key = place.keys[0]?.catalog
  if (!key)
    throw recoveryError(
      'RECOVERY_LOCKED',
      'a takeover is signed with the recovery key: give it, or import it with "holdfast key import"',
    )
  const quiet = nowMs - Date.parse(from.lastAt) > quietMs
  if (!quiet && !force) {
    const text = `installation ${from.installation} (cluster ${from.cluster ?? 'unknown'}) wrote its last backup at ${from.lastAt}, less than a day ago: if it still lives, two would remove backups at once`
    throw recoveryError('RECOVERY_FOREIGN', `${text}. Make sure that it is gone, then add --force`)
  }
  const takeover: Takeover = {
    from: from.installation,
    to,
    ...(toCluster === undefined ? {} : { toCluster }),
    at: toRfc3339(nowMs),
    lastWriteAt: from.lastAt,
    ...(quiet ? {} : { forced: true }),
  }
  await writeTakeover(place.location, takeover, key, { signal })
  return takeover
}
