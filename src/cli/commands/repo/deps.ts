import type { Clock } from '../../../base/clock.ts'
import type { BackupStreamOptions } from '../../../repository/backup-stream.ts'
import type { PruneLease } from '../../../repository/prune-in-steps.ts'
import type { Repository } from '../../../repository/repository.ts'
import type { Output } from '../../output.ts'

/** How every command names its repository and what opens it. */
export interface RepoFlags {
  readonly repo?: string
  readonly passwordFile?: string
  readonly recoveryKeyFile?: string
  /** `[namespace/]name` of a Profile of the cluster. */
  readonly profile?: string
  /** Of the installation, where its Secrets are; also that of the Profile where its name has none. */
  readonly namespace?: string
  /** Of the application: its repository of streams below the Profile. */
  readonly appNamespace?: string
  /** The path of a repository below the Profile's prefix, or the prefix of BackupData. */
  readonly path?: string
  readonly prefix?: string
  readonly context?: string
  readonly kubeconfig?: string
  /** PEM certificates to trust for the store. */
  readonly caFile?: string
  readonly insecureTls?: boolean
  readonly output: 'table' | 'json'
}

/** A repository and what belongs to it in the cluster. */
export interface OpenedRepo extends AsyncDisposable {
  readonly repository: Repository
  /** Where a cluster is asked, its Lease keeps other prunes away. */
  readonly lease?: PruneLease
}

export interface InitFlags {
  /** Another repository, whose way of cutting files is taken over. */
  readonly likePolynomial?: bigint
}

export interface RepoDeps {
  readonly output: Output
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Sets the exit code of the process. */
  finish(exitCode: number): void
  readText(file: string): Promise<string>
  open(flags: RepoFlags): Promise<OpenedRepo>
  init(flags: RepoFlags, init: InitFlags): Promise<OpenedRepo>
  /** The process's input and output, for dumps and streams. */
  stdin(): BackupStreamOptions['stream']
  /** Resolves when the reader took the bytes. */
  write(bytes: Uint8Array): Promise<void>
}
