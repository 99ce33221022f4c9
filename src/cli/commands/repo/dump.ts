import type { Command } from 'commander'
import type { RepoDeps, RepoFlags } from './deps.ts'
import { repoCommand, withRepo } from './repo-command.ts'
import { type FilterFlags, queryOf, withFilter } from './snapshot-flags.ts'

export function dumpCommand(deps: RepoDeps): Command {
  return withFilter(repoCommand('dump', 'Print a file of a snapshot, or a folder as a tar archive.'))
    .argument('<snapshot>', 'id, beginning of an id, or latest')
    .argument('[path]', 'file or folder; without it the one file of the snapshot')
    .option('--tar', 'the path is a folder: print a tar archive of what is in it')
    .action((name: string, path: string | undefined, flags: RepoFlags & FilterFlags & { tar?: boolean }) =>
      withRepo(deps, flags, async ({ repository }, { bar, onWarning }) => {
        const request = { snapshot: queryOf(name, flags), signal: deps.signal, onWarning, ...(path !== undefined && { path }) }
        let totalBytes: number | undefined
        const stream = flags.tar
          ? repository.restoreTar({ ...request, ...(path !== undefined && { stripPrefix: path }) })
          : repository.restoreStream({ ...request, lend: true, onOpen: ({ sizeBytes }) => void (totalBytes = sizeBytes) })
        let doneBytes = 0
        for await (const bytes of stream) {
          await deps.write(bytes)
          doneBytes += bytes.length
          bar.update({ doneBytes, ...(totalBytes !== undefined && { totalBytes }) })
        }
      }),
    )
}
