import type { Command } from 'commander'
import { formatBytes } from '../../../base/bytes.ts'
import type { DataSubset } from '../../../repository/check.ts'
import { cliError } from '../../errors.ts'
import type { RepoDeps, RepoFlags } from './deps.ts'
import { printResult, repoCommand, withRepo } from './repo-command.ts'

export function checkCommand(deps: RepoDeps): Command {
  return repoCommand(
    'check',
    'Find what is wrong with the repository. Backups may go on meanwhile.',
    '1 also: something is wrong',
  )
    .option('--read-data', 'read every pack and open every blob')
    .option('--read-data-subset <n/m or x%>', 'read the n-th of m parts, or so many percent by chance')
    .action((flags: RepoFlags & { readData?: boolean; readDataSubset?: string }) =>
      withRepo(deps, flags, async ({ repository }, { bar, onWarning }) => {
        const report = await repository.check({
          readData: flags.readDataSubset === undefined ? flags.readData === true : parseSubset(flags.readDataSubset),
          signal: deps.signal,
          onWarning,
          onProgress: ({ packsRead, packCount, readBytes }) =>
            bar.update({ doneBytes: readBytes, note: `${packsRead} of ${packCount} packs` }),
        })
        const { findings, snapshotCount, packCount, orphanPackCount, readBytes } = report
        const lines = findings.map(({ object, problem }) => `${object}: ${problem}\n`).join('')
        const orphans = orphanPackCount > 0 ? `, ${orphanPackCount} packs in no index (harmless; a prune removes them)` : ''
        const verdict = findings.length === 0 ? 'no errors were found' : `${findings.length} errors were found`
        const text = `${lines}${snapshotCount} snapshots, ${packCount} packs${orphans}, ${formatBytes(readBytes)} read: ${verdict}\n`
        printResult(deps, flags, report, text)
        if (findings.length > 0) deps.finish(1)
      }),
    )
}

export function parseSubset(text: string): DataSubset {
  const part = /^(\d+)\/(\d+)$/.exec(text)
  if (part) return { part: Number(part[1]), of: Number(part[2]) }
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text)
  if (percent) return { percent: Number(percent[1]) }
  throw cliError('CLI_USAGE', `"${text}" is no part of the data: write 1/5 or 10%`)
}
