import type { Command } from 'commander'
import { kinds } from '../../../kube/kinds.ts'
import { lightened, readBackups } from '../../../recovery/read-backups.ts'
import { ownImported } from '../../../recovery/import-catalog.ts'
import { takeOver, writersOf } from '../../../recovery/takeover.ts'
import { cliError } from '../../errors.ts'
import { renderTable } from '../../table.ts'
import { clusterOf, placeCommand, print, withPlace } from '../backup/backup-command.ts'
import type { BackupDeps, PlaceFlags } from '../backup/deps.ts'

interface TakeoverFlags extends PlaceFlags {
  readonly yes?: boolean
  readonly force?: boolean
}

export function takeoverCommand(deps: BackupDeps): Command {
  return placeCommand(
    'takeover',
    'Show who wrote into a bucket last, and let this installation own those backups: only then may it remove them.',
    '7 the one before wrote a short while ago',
  )
    .argument('[installation]', 'whose backups; may be left out where there is one')
    .option('-y, --yes', 'do it; without this, only shows who wrote')
    .option('--force', 'though it wrote within the last day')
    .action((named: string | undefined, flags: TakeoverFlags) =>
      withPlace(deps, flags, async (opened) => {
        const { signal, clock } = deps
        const { kube, namespace } = clusterOf(opened)
        const backups = await Array.fromAsync(readBackups(opened.place, { signal }), lightened)
        const writers = await writersOf(opened.place, backups, signal)
        const own = (await kube.resource(kinds.namespaces).get({ name: namespace }, { signal })).metadata.uid
        const foreign = writers.filter(({ owner }) => owner !== own)
        if (!flags.yes) {
          const rows = writers.map(({ installation, cluster = 'unknown', backups: count, lastAt, owner }) => [
            installation,
            cluster,
            String(count),
            lastAt,
            owner === own ? 'this installation' : owner,
          ])
          print(
            deps,
            flags,
            { installation: own, writers },
            renderTable([['INSTALLATION', 'CLUSTER', 'BACKUPS', 'LAST WRITE', 'OWNER'], ...rows]),
          )
          return
        }
        const from =
          named === undefined && foreign.length === 1 ? foreign[0] : foreign.find(({ installation }) => installation === named)
        if (!from)
          throw cliError(
            'CLI_USAGE',
            foreign.length === 0
              ? 'there is nothing to take over: all backups are of this installation'
              : `say whose: ${foreign.map(({ installation }) => installation).join(', ')}`,
          )
        const toCluster = await kube.resource(kinds.namespaces).find({ name: 'kube-system' }, { signal })
        const done = await takeOver(opened.place, from, {
          to: own,
          ...(toCluster ? { toCluster: toCluster.metadata.uid } : {}),
          nowMs: clock.now(),
          force: flags.force === true,
          signal,
        })
        await ownImported({ kube, namespace, signal }, new Set([from.installation]))
        print(deps, flags, done, `${from.backups} backups of installation ${from.installation} are owned by this one, ${own}\n`)
      }),
    )
}
