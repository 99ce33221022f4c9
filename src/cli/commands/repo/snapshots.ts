import type { Command } from 'commander'
import type { Snapshot } from '../../../repository/snapshots.ts'
import { renderTable } from '../../table.ts'
import type { RepoDeps, RepoFlags } from './deps.ts'
import { printResult, repoCommand, withRepo } from './repo-command.ts'
import { type FilterFlags, filterOf, parseCount, snapshotJson, timeText, withFilter } from './snapshot-flags.ts'

export function snapshotsCommand(deps: RepoDeps): Command {
  return withFilter(repoCommand('snapshots', 'List the snapshots, the oldest first.'))
    .option('--latest <n>', 'only the newest n', parseCount(1))
    .action((flags: RepoFlags & FilterFlags & { latest?: number }) =>
      withRepo(deps, flags, async ({ repository }) => {
        const all = await repository.snapshots({ filter: filterOf(flags), signal: deps.signal })
        const shown = flags.latest ? all.slice(-flags.latest) : all
        printResult(deps, flags, shown.map(snapshotJson), `${snapshotTable(shown)}${shown.length} snapshots\n`)
      }),
    )
}

export function snapshotTable(snapshots: readonly Snapshot[]): string {
  const rows = snapshots.map(({ id, time, hostname = '', tags, paths }) => [
    id.slice(0, 8),
    timeText(time).slice(0, 19).replace('T', ' '),
    hostname,
    tags.join(','),
    paths.join(' '),
  ])
  return renderTable([['ID', 'TIME (UTC)', 'HOST', 'TAGS', 'PATHS'], ...rows])
}
