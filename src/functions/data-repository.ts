import type { FunctionContext } from './context.ts'
import type { OpenedRepository } from './repositories.ts'

/** Which repository, and how to get at it. */
export interface DataRepositoryArgs {
  readonly backupArtifactPrefix: string
  readonly encryptionKey?: string | undefined
  readonly insecureTLS?: boolean | undefined
  readonly create: boolean
}

/** Opens the repository that the arguments of BackupData and its kin name. */
export function openDataRepository(
  ctx: Pick<FunctionContext, 'profile' | 'repositories' | 'signal' | 'warn'>,
  args: DataRepositoryArgs,
): Promise<OpenedRepository> {
  const profile = ctx.profile()
  return ctx.repositories.openByPrefix({
    profile: args.insecureTLS ? { ...profile, skipSslVerify: true } : profile,
    backupArtifactPrefix: args.backupArtifactPrefix,
    ...(args.encryptionKey === undefined ? {} : { encryptionKey: args.encryptionKey }),
    create: args.create,
    onWarning: (warning) => ctx.warn(warning),
    signal: ctx.signal,
  })
}

/** restic's short form of a snapshot id, which Kanister's outputs carry. */
export function shortSnapshotId(id: string): string {
  return id.slice(0, 8)
}
