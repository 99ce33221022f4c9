import type { Command } from 'commander'
import type { RepoDeps, RepoFlags } from './deps.ts'
import { longLine, nodeJson, printable } from './node-json.ts'
import { printList, repoCommand, withRepo } from './repo-command.ts'
import { type FilterFlags, filterOf, parseWhen, withFilter } from './snapshot-flags.ts'

interface FindFlags {
  readonly ignoreCase?: boolean
  readonly long?: boolean
  readonly oldest?: string
  readonly newest?: string
}

export function findCommand(deps: RepoDeps): Command {
  return withFilter(repoCommand('find', 'Look for files in all snapshots, by patterns such as *.sql or /var/lib/**/wal.'))
    .argument('<patterns...>', 'patterns; what fits any of them is found')
    .option('-i, --ignore-case', 'upper and lower case are the same')
    .option('-l, --long', 'with mode, owner, size and time')
    .option('--oldest <time>', 'modified then or later')
    .option('--newest <time>', 'modified then or earlier')
    .action((patterns: string[], flags: RepoFlags & FilterFlags & FindFlags) =>
      withRepo(deps, flags, async ({ repository }, { onWarning }) => {
        const found = repository.find({
          patterns,
          ignoreCase: flags.ignoreCase === true,
          filter: filterOf(flags),
          signal: deps.signal,
          onWarning,
          ...(flags.oldest && { oldest: parseWhen(flags.oldest) }),
          ...(flags.newest && { newest: parseWhen(flags.newest) }),
        })
        await printList(deps, flags, found, {
          json: ({ snapshot, ...walked }) => ({ snapshot: snapshot.id, ...nodeJson(walked) }),
          line: ({ snapshot, ...walked }) =>
            `${snapshot.id.slice(0, 8)}  ${flags.long ? longLine(walked) : printable(walked.path)}`,
        })
      }),
    )
}
