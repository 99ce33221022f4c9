import type { Command } from 'commander'
import { cliError } from '../../errors.ts'
import type { RepoDeps, RepoFlags } from './deps.ts'
import { printResult, repoCommand, withRepo } from './repo-command.ts'
import { type FilterFlags, filterOf, parseCount, snapshotJson, withFilter } from './snapshot-flags.ts'
import { matchesFilter } from '../../../repository/snapshots.ts'
import { snapshotTable } from './snapshots.ts'

interface ForgetFlags {
  readonly keepLast?: number
  readonly yes?: boolean
}

export function forgetCommand(deps: RepoDeps): Command {
  return withFilter(repoCommand('forget', 'Remove snapshots. Their space comes back with a prune.'))
    .argument('[ids...]', 'ids or beginnings of ids; without them, those that the flags mean')
    .option('--keep-last <n>', 'of those meant, keep the newest n', parseCount(1))
    .option('-y, --yes', 'do it; without this, only shows what would go')
    .action((ids: string[], flags: RepoFlags & FilterFlags & ForgetFlags) =>
      withRepo(deps, flags, async ({ repository }) => {
        const filter = filterOf(flags)
        if (
          ids.length === 0 &&
          flags.keepLast === undefined &&
          flags.host.length + flags.tag.length + flags.snapshotPath.length === 0
        )
          throw cliError(
            'CLI_USAGE',
            'nothing says which snapshots are to go: give ids, --host, --tag, --snapshot-path or --keep-last',
          )
        const all = await repository.snapshots({ signal: deps.signal })
        const named = ids.length > 0 ? all.filter(({ id }) => ids.some((start) => id.startsWith(start))) : all
        for (const start of ids) {
          const count = all.filter(({ id }) => id.startsWith(start)).length
          if (count !== 1 || start === '')
            throw cliError('CLI_USAGE', `${count} snapshots begin with "${start}"; give the id of one`)
        }
        const meant = named.filter((snapshot) => matchesFilter(snapshot, filter))
        const going = flags.keepLast === undefined ? meant : meant.slice(0, Math.max(0, meant.length - flags.keepLast))
        if (flags.yes)
          await repository.forgetSnapshots(
            going.map(({ id }) => id),
            { signal: deps.signal },
          )
        const verdict = flags.yes
          ? `${going.length} snapshots removed`
          : `${going.length} snapshots would go; add --yes to remove them`
        printResult(
          deps,
          flags,
          { removed: flags.yes === true, snapshots: going.map(snapshotJson) },
          `${snapshotTable(going)}${verdict}\n`,
        )
      }),
    )
}
