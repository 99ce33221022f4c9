import { Option, type Command } from 'commander'
import { formatBytes } from '../../../base/bytes.ts'
import type { SizeMode } from '../../../repository/snapshot-sizes.ts'
import type { RepoDeps, RepoFlags } from './deps.ts'
import { printResult, repoCommand, withRepo } from './repo-command.ts'
import { type FilterFlags, queryOf, withFilter } from './snapshot-flags.ts'

const modes: readonly SizeMode[] = ['restore-size', 'files-by-contents', 'raw-data', 'blobs-per-file']

export function statsCommand(deps: RepoDeps): Command {
  return withFilter(repoCommand('stats', 'Sizes of the repository, or of one snapshot.'))
    .argument('[snapshot]', 'id, beginning of an id, or latest; without it the whole repository')
    .addOption(
      new Option('--mode <mode>', 'what to count of a snapshot, as restic').choices([...modes]).default('restore-size'),
    )
    .action((name: string | undefined, flags: RepoFlags & FilterFlags & { mode: SizeMode }) =>
      withRepo(deps, flags, async ({ repository }) => {
        const call = { signal: deps.signal }
        if (name !== undefined) {
          const { snapshotId, count, sizeBytes } = await repository.snapshotSizes(queryOf(name, flags), flags.mode, call)
          const text = `snapshot ${snapshotId.slice(0, 8)}: ${count} ${flags.mode === 'raw-data' ? 'blobs' : 'files'}, ${formatBytes(sizeBytes)}\n`
          return printResult(deps, flags, { snapshotId, mode: flags.mode, count, sizeBytes }, text)
        }
        const stats = await repository.stats(call)
        const ratio = stats.packedBytes > 0 ? (stats.rawBytes / stats.packedBytes).toFixed(2) : '1.00'
        const text = `${stats.snapshotCount} snapshots, ${stats.packCount} packs, ${stats.blobCount} blobs: ${formatBytes(stats.rawBytes)}, stored in ${formatBytes(stats.packedBytes)} (${ratio} to 1)\n`
        printResult(deps, flags, { repositoryId: repository.id, ...stats }, text)
      }),
    )
}
