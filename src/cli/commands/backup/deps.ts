import type { Clock } from '../../../base/clock.ts'
import type { Kube } from '../../../kube/kube.ts'
import type { RecoveryPlace } from '../../../recovery/place.ts'
import type { Output } from '../../output.ts'

/** How every command names the place of backups and what opens it. */
export interface PlaceFlags {
  /** `s3:https://host/bucket/prefix` or a folder: no cluster is asked. */
  readonly location?: string
  /** `[namespace/]name` of a Profile of the cluster. */
  readonly profile?: string
  readonly recoveryKeyFile?: readonly string[]
  readonly passwordFile?: string
  /** Of the installation. */
  readonly namespace?: string
  readonly context?: string
  readonly kubeconfig?: string
  /** PEM certificates to trust for the store. */
  readonly caFile?: string
  readonly insecureTls?: boolean
  readonly output: 'table' | 'json'
}

export interface OpenedPlace extends AsyncDisposable {
  readonly place: RecoveryPlace
  /** Where a cluster was asked. */
  readonly cluster?: {
    readonly kube: Kube
    /** Of the installation. */
    readonly namespace: string
    readonly profile: { readonly name: string; readonly namespace: string }
  }
}

export interface BackupDeps {
  readonly output: Output
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Of this program. */
  readonly version: string
  /** Sets the exit code of the process. */
  finish(exitCode: number): void
  /** Five random characters for names. */
  suffix(): string
  open(flags: PlaceFlags): Promise<OpenedPlace>
  /** The process's output. Resolves when the reader took the bytes. */
  write(bytes: Uint8Array): Promise<void>
  /** A file that is there under its name only when all of it is; `-` is not for it. Gives its length. */
  saveFile(file: string, bytes: AsyncIterable<Uint8Array>): Promise<number>
}
