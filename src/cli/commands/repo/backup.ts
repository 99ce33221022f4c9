import type { Command } from 'commander'
import { formatBytes } from '../../../base/bytes.ts'
import { cliError } from '../../errors.ts'
import type { RepoDeps, RepoFlags } from './deps.ts'
import { printResult, repoCommand, withRepo } from './repo-command.ts'

interface BackupFlags {
  readonly exclude: readonly string[]
  readonly tag: readonly string[]
  readonly host?: string
  readonly parent?: string
  readonly force?: boolean
  readonly oneFileSystem?: boolean
  readonly ignoreCtime?: boolean
  readonly ignoreInode?: boolean
  readonly stdin?: boolean
  readonly stdinFilename: string
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value]

export function backupCommand(deps: RepoDeps): Command {
  return repoCommand(
    'backup',
    'Back up folders of this machine, or stdin.',
    '3 a snapshot was made, but something could not be read',
  )
    .argument('[paths...]', 'files or folders')
    .option('-e, --exclude <pattern>', 'leave out what fits; may be given several times', collect, [])
    .option('--tag <tag>', 'tag of the snapshot; may be given several times', collect, [])
    .option('-H, --host <name>', 'host of the snapshot; that of this machine when absent')
    .option('--parent <snapshot>', 'build upon this snapshot; the newest of the same host and paths when absent')
    .option('-f, --force', 'read every file')
    .option('-x, --one-file-system', 'do not go into other file systems')
    .option('--ignore-ctime', 'a file of the same size, time and inode is unchanged, whatever its ctime')
    .option('--ignore-inode', 'and whatever its inode')
    .option('--stdin', 'keep what comes in by stdin')
    .option('--stdin-filename <path>', 'name of that in the snapshot', 'stdin')
    .addHelpText('after', '\nExtended attributes of files (ACLs among them) are not kept.')
    .action((paths: string[], flags: RepoFlags & BackupFlags) =>
      withRepo(deps, flags, async ({ repository }, { bar, onWarning }) => {
        if (flags.stdin === paths.length > 0) throw cliError('CLI_USAGE', 'give either paths or --stdin')
        const common = {
          tags: flags.tag,
          signal: deps.signal,
          onWarning,
          onProgress: ({
            processedBytes,
            addedPackedBytes,
          }: {
            readonly processedBytes: number
            readonly addedPackedBytes: number
          }) => bar.update({ doneBytes: processedBytes, note: `${formatBytes(addedPackedBytes)} stored` }),
          ...(flags.host !== undefined && { host: flags.host }),
        }
        const result = flags.stdin
          ? await repository.backupStream({
              ...common,
              stream: deps.stdin(),
              filename: flags.stdinFilename,
              // Only the JSON says it.
              digest: flags.output === 'json',
            })
          : await repository.backupFolder({
              ...common,
              paths,
              excludes: flags.exclude,
              oneFileSystem: flags.oneFileSystem === true,
              compareCtime: flags.ignoreCtime !== true,
              compareInode: flags.ignoreInode !== true,
              ...(flags.force ? { parent: 'none' as const } : flags.parent ? { parent: { id: flags.parent } } : {}),
            })
        const unchanged = 'filesUnmodified' in result ? `, ${result.filesUnmodified} of them unchanged` : ''
        const text = `snapshot ${result.snapshotId.slice(0, 8)} saved: ${result.fileCount} files${unchanged}, ${formatBytes(result.sizeBytes)}; ${formatBytes(result.addedPackedBytes)} stored\n`
        printResult(deps, flags, result, text)
        if ('unreadable' in result && result.unreadable.length > 0) deps.finish(3)
      }),
    )
}
