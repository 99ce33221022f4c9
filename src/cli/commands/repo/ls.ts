import type { Command } from 'commander'
import type { RepoDeps, RepoFlags } from './deps.ts'
import { longLine, nodeJson, printable } from './node-json.ts'
import { printList, repoCommand, withRepo } from './repo-command.ts'
import { type FilterFlags, queryOf, withFilter } from './snapshot-flags.ts'

export function lsCommand(deps: RepoDeps): Command {
  return withFilter(repoCommand('ls', 'List what is in a snapshot.'))
    .argument('<snapshot>', 'id, beginning of an id, or latest')
    .argument('[path]', 'file or directory in the snapshot')
    .option('-l, --long', 'with mode, owner, size and time')
    .option('--flat', 'only what lies directly in the path')
    .action((name: string, path: string | undefined, flags: RepoFlags & FilterFlags & { long?: boolean; flat?: boolean }) =>
      withRepo(deps, flags, async ({ repository }, { onWarning }) => {
        const nodes = repository.ls({
          snapshot: queryOf(name, flags),
          recursive: flags.flat !== true,
          signal: deps.signal,
          onWarning,
          ...(path !== undefined && { path }),
        })
        await printList(deps, flags, nodes, { json: nodeJson, line: flags.long ? longLine : ({ path: at }) => printable(at) })
      }),
    )
}
