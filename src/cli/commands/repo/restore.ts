import { Option, type Command } from 'commander'
import { formatBytes } from '../../../base/bytes.ts'
import type { RestoreFolderOptions } from '../../../repository/folder/restore-folder.ts'
import type { RepoDeps, RepoFlags } from './deps.ts'
import { printResult, repoCommand, withRepo } from './repo-command.ts'
import { type FilterFlags, queryOf, withFilter } from './snapshot-flags.ts'

interface RestoreFlags {
  readonly target: string
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  readonly sparse?: boolean
  readonly existing: NonNullable<RestoreFolderOptions['existing']>
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value]

export function restoreCommand(deps: RepoDeps): Command {
  return withFilter(repoCommand('restore', 'Restore a snapshot into a folder. Broken off and begun again, it goes on.'))
    .argument('<snapshot[:path]>', 'id, beginning of an id, or latest; with a path, its content lands in the target itself')
    .requiredOption('-t, --target <folder>', 'made where it is missing')
    .option('--include <pattern>', 'only what fits; may be given several times', collect, [])
    .option('--exclude <pattern>', 'not what fits; may be given several times', collect, [])
    .option('--sparse', 'leave holes where there are zeros')
    .addOption(
      new Option(
        '--existing <how>',
        'what to do with files that are there: believe size and time, compare content, or leave them',
      )
        .choices(['metadata', 'content', 'never'])
        .default('metadata'),
    )
    .addHelpText('after', '\nExtended attributes are not set, with a warning; "repo dump --tar" gives them to tar.')
    .action((name: string, flags: RepoFlags & FilterFlags & RestoreFlags) =>
      withRepo(deps, flags, async ({ repository }, { bar, onWarning }) => {
        const [id, path] = splitOnce(name)
        const query = queryOf(id, flags)
        const whole = path === undefined && flags.include.length + flags.exclude.length === 0
        const totalBytes =
          whole && deps.output.live ? (await repository.snapshotStats(query, { signal: deps.signal })).sizeBytes : undefined
        const result = await repository.restoreFolder({
          snapshot: query,
          target: flags.target,
          include: flags.include,
          exclude: flags.exclude,
          sparse: flags.sparse === true,
          existing: flags.existing,
          signal: deps.signal,
          onWarning,
          onProgress: ({ bytes, entries }) =>
            bar.update({ doneBytes: bytes, note: `${entries} entries`, ...(totalBytes !== undefined && { totalBytes }) }),
          ...(path !== undefined && { path }),
        })
        const kept =
          result.filesKept > 0 ? `; ${result.filesKept} files (${formatBytes(result.bytesKept)}) were right before` : ''
        const text = `${result.filesWritten} files written (${formatBytes(result.bytesWritten)})${kept}\n`
        printResult(deps, flags, result, text)
      }),
    )
}

function splitOnce(text: string): [string, string | undefined] {
  const at = text.indexOf(':')
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}
