import { Command } from 'commander'
import { toRfc3339 } from '../../../base/clock.ts'
import { parseGoDuration } from '../../../base/go-duration.ts'
import type { Kube } from '../../../kube/kube.ts'
import { ownKinds } from '../../../kube/own-kinds.ts'
import { lightened, readBackups, type Backup } from '../../../recovery/read-backups.ts'
import { findStrays, removeStrays, type Stray } from '../../../recovery/strays.ts'
import { verifyBackups } from '../../../recovery/verify-backups.ts'
import { cliError } from '../../errors.ts'
import { clusterOf, placeCommand, print, withPlace } from '../backup/backup-command.ts'
import type { BackupDeps, OpenedPlace, PlaceFlags } from '../backup/deps.ts'

interface CheckFlags extends PlaceFlags {
  readonly object?: string
  readonly removeAfter?: string
}

/** A backup that goes on has data and no record yet, for as long as a phase may take and more. */
const shortestGraceMs = 24 * 3_600_000

/** `holdfast catalog …` */
export function catalogCommands(deps: BackupDeps): Command {
  const check = placeCommand(
    'check',
    'Compare the catalog with what is there: broken chains, records without data, data without records. Removes nothing unless told so.',
    '3 something is wrong',
  )
    .option('--object <namespace/kind/name>', 'only the backups of this object; data without records is not looked for then')
    .option('--remove-after <duration>', 'remove data that no record names and that is older than this (at least 24h, as 168h)')
    .action((flags: CheckFlags) => withPlace(deps, flags, (opened) => run(deps, flags, opened)))
  return new Command('catalog').description('The catalog of a place.').addCommand(check)
}

async function run(deps: BackupDeps, flags: CheckFlags, opened: OpenedPlace): Promise<void> {
  const { place } = opened
  const { signal } = deps
  const graceMs = graceOf(flags)
  const all = await Array.fromAsync(readBackups(place, { signal }), lightened)
  const chosen = flags.object === undefined ? all : all.filter((backup) => isOf(backup, flags.object ?? ''))
  if (flags.object !== undefined && chosen.length === 0)
    throw cliError('CLI_NOT_FOUND', `no backup of ${flags.object} is at ${place.location.description}`)
  const { findings } = await verifyBackups(place, all, chosen, { readData: false, signal })
  const { strays, doubts } = flags.object === undefined ? await findStrays(place, all, signal) : { strays: [], doubts: [] }
  const removed = graceMs === undefined ? [] : await remove(deps, opened, { strays, doubts, graceMs })
  const damaged = findings.some(({ level }) => level === 'damage')
  const lines = [
    ...findings.map(({ level, about, message }) => `${level === 'damage' ? 'DAMAGE' : 'warning'}  ${about}: ${message}`),
    ...doubts.map((doubt) => `warning  what this names is not known: ${doubt}`),
    ...strays.map((stray) => `${removed.includes(stray) ? 'removed' : 'stray  '}  ${describe(stray)}: no record names it`),
    `${chosen.length} backups, ${strays.length} strays, ${removed.length} removed: ${damaged ? 'something is wrong' : 'no damage found'}`,
  ]
  print(deps, flags, { backups: chosen.length, findings, strays, doubts, removed }, `${lines.join('\n')}\n`)
  if (damaged) deps.finish(3)
}

function graceOf({ removeAfter, object }: CheckFlags): number | undefined {
  if (removeAfter === undefined) return undefined
  const ms = parseGoDuration(removeAfter)
  if (object !== undefined) throw cliError('CLI_USAGE', 'give either --object or --remove-after')
  if (ms === undefined || ms < shortestGraceMs)
    throw cliError('CLI_USAGE', `--remove-after "${removeAfter}" is no duration of at least 24h, such as 168h`)
  return ms
}

function isOf({ namespace, kind, name }: Backup, wanted: string): boolean {
  const [ns, ofKind, ...rest] = wanted.split('/')
  return namespace === ns && kind === ofKind?.toLowerCase() && name === rest.join('/')
}

/** Only what is old, and what no ActionSet of the cluster names: one that was not catalogued is the only record of its backup. */
async function remove(
  deps: BackupDeps,
  opened: OpenedPlace,
  {
    strays,
    doubts,
    graceMs,
  }: { readonly strays: readonly Stray[]; readonly doubts: readonly string[]; readonly graceMs: number },
): Promise<readonly Stray[]> {
  const { kube } = clusterOf(opened)
  if (doubts.length > 0)
    throw cliError(
      'CLI_USAGE',
      `nothing was removed: of ${doubts.length} things it is not known what they name, and it may be what would go; the first: ${doubts[0]}`,
    )
  const now = deps.clock.now()
  const named = await namedInCluster(kube, deps.signal)
  const going = strays
    .filter(({ time }) => time !== undefined && now - time >= graceMs)
    .filter((stray) => !named.includes(nameOf(stray)))
  await removeStrays(opened.place, going, deps.signal)
  return going
}

/** Everything that ActionSets say, as one text to look into. */
async function namedInCluster(kube: Kube, signal: AbortSignal): Promise<string> {
  const texts: string[] = []
  const { items } = await kube.resource(ownKinds.actionSets).list({ signal })
  for (const { spec, status } of items) texts.push(JSON.stringify({ spec, status }))
  return texts.join('\n')
}

function nameOf(stray: Stray): string {
  return stray.kind === 'snapshot' ? stray.id.slice(0, 8) : (stray.key.split('/').at(-1) ?? stray.key)
}

function describe(stray: Stray): string {
  const what = stray.kind === 'snapshot' ? `snapshot ${stray.id.slice(0, 8)} in ${stray.repository}` : `object ${stray.key}`
  return stray.time === undefined ? what : `${what} of ${toRfc3339(stray.time)}`
}
