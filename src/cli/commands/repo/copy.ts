import type { Command } from 'commander'
import { formatBytes } from '../../../base/bytes.ts'
import type { RepoDeps, RepoFlags } from './deps.ts'
import { printResult, repoCommand, withRepo } from './repo-command.ts'
import { type FilterFlags, filterOf, withFilter } from './snapshot-flags.ts'

interface CopyFlags {
  readonly toRepo?: string
  readonly toPasswordFile?: string
  readonly toRecoveryKeyFile?: string
  readonly toProfile?: string
  readonly toAppNamespace?: string
  readonly toPath?: string
  readonly toPrefix?: string
}

export function copyCommand(deps: RepoDeps): Command {
  return withFilter(repoCommand('copy', 'Copy snapshots into another repository; each blob is checked and sealed anew.'))
    .argument('[ids...]', 'ids or beginnings of ids; without them, those that the flags mean')
    .option('--to-repo <url>', 'the other repository, as --repo')
    .option('--to-password-file <file>', 'its key; without one, the same as here')
    .option('--to-recovery-key-file <file>', 'its key')
    .option('--to-profile <[namespace/]name>', 'the other repository, as --profile')
    .option('--to-app-namespace <name>', 'as --app-namespace')
    .option('--to-path <path>', 'as --path')
    .option('--to-prefix <prefix>', 'as --prefix')
    .action((ids: string[], flags: RepoFlags & FilterFlags & CopyFlags) =>
      withRepo(deps, flags, async ({ repository }, { bar, onWarning }) => {
        await using target = await deps.open(targetFlags(flags))
        const meant =
          ids.length > 0
            ? ids
            : (await repository.snapshots({ filter: filterOf(flags), signal: deps.signal })).map(({ id }) => id)
        const result = await repository.copyTo(target.repository, {
          ids: meant,
          signal: deps.signal,
          onWarning,
          onProgress: ({ copiedBytes, snapshotsDone, snapshotCount }) =>
            bar.update({ doneBytes: copiedBytes, note: `${snapshotsDone} of ${snapshotCount} snapshots` }),
        })
        const done = result.snapshots.filter(({ already }) => !already).length
        const text = `${done} snapshots copied, ${result.snapshots.length - done} were there; ${result.copiedBlobs} blobs, ${formatBytes(result.copiedBytes)}\n`
        printResult(deps, flags, result, text)
      }),
    )
}

function targetFlags(flags: RepoFlags & CopyFlags): RepoFlags {
  const { toRepo, toPasswordFile, toRecoveryKeyFile, toProfile, toAppNamespace, toPath, toPrefix } = flags
  const { passwordFile, recoveryKeyFile, namespace, context, kubeconfig, caFile, insecureTls, output } = flags
  const own = toPasswordFile ?? toRecoveryKeyFile
  return {
    output,
    ...(toRepo && { repo: toRepo }),
    ...(toProfile && { profile: toProfile }),
    ...(toAppNamespace && { appNamespace: toAppNamespace }),
    ...(toPath && { path: toPath }),
    ...(toPrefix && { prefix: toPrefix }),
    ...(toPasswordFile && { passwordFile: toPasswordFile }),
    ...(toRecoveryKeyFile && { recoveryKeyFile: toRecoveryKeyFile }),
    ...(!own && passwordFile && { passwordFile }),
    ...(!own && recoveryKeyFile && { recoveryKeyFile }),
    ...(namespace && { namespace }),
    ...(context && { context }),
    ...(kubeconfig && { kubeconfig }),
    ...(caFile && { caFile }),
    ...(insecureTls && { insecureTls }),
  }
}
