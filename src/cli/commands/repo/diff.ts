import type { Command } from 'commander'
import type { RepoDeps, RepoFlags } from './deps.ts'
import { nodeJson, printable } from './node-json.ts'
import { printList, repoCommand, withRepo } from './repo-command.ts'

export function diffCommand(deps: RepoDeps): Command {
  return repoCommand(
    'diff',
    'Show what changed from one snapshot to another: + added, - removed, M content, U metadata, T type.',
  )
    .argument('<from>', 'id, beginning of an id, or latest')
    .argument('<to>', 'id, beginning of an id, or latest')
    .option('--metadata', 'also what has other owners, modes or times only')
    .action((from: string, to: string, flags: RepoFlags & { metadata?: boolean }) =>
      withRepo(deps, flags, async ({ repository }, { onWarning }) => {
        const { diffLetter } = await import('../../../repository/diff-snapshots.ts')
        const query = (id: string): { readonly id: string } | { readonly latest: true } =>
          id === 'latest' ? { latest: true } : { id }
        const changes = repository.diff({
          from: query(from),
          to: query(to),
          metadata: flags.metadata === true,
          signal: deps.signal,
          onWarning,
        })
        await printList(deps, flags, changes, {
          json: ({ kind, addedBytes, removedBytes, ...walked }) => ({ kind, ...nodeJson(walked), addedBytes, removedBytes }),
          line: ({ kind, path }) => `${diffLetter(kind)}  ${printable(path)}`,
        })
      }),
    )
}
