import type { Clock } from '../../base/clock.ts'
import type { AzureWorkload } from '../azure/settings.ts'
import type { CallOptions, ObjectStore } from '../object-store.ts'
import type { ResolvedProfile } from '../profile-json.ts'
import type { StoreTiming } from '../timing.ts'

/** A store that holds sockets: close it, or open it by `await using`. */
export interface OpenedStore extends ObjectStore, AsyncDisposable {
  /**
   * Removes what killed processes left half uploaded and nobody has added to since `before` (epoch ms). Gives the number. Absent where the
   * store does that by itself (Google Cloud Storage and Azure: within a week).
   */
  removeAbandoned?(before: number, options?: RemoveAbandonedOptions): Promise<number>
}

export interface RemoveAbandonedOptions extends CallOptions {
  /** Folder of the bucket that is the Profile's own. @default none */
  readonly prefix?: string
}

export interface OpenStoreOptions {
  /** Sockets to the endpoint at once. @default 64 */
  readonly maxConnections?: number
  readonly timing?: Partial<StoreTiming>
  readonly clock?: Clock
  /** Folder below which the volumes of filestores are mounted, each under its name. @default /filestores */
  readonly filestores?: string
  /** File with a SAS token, for Secrets of Azure that say `azure_federated_identity`. */
  readonly azureSasTokenFile?: string
  /** The process's own identity, for the same Secrets where there is no such file. */
  readonly azureWorkload?: AzureWorkload
}

/** Checks what a Profile says and gives the store, without asking anybody. */
export type Opener = (profile: ResolvedProfile, options: OpenStoreOptions) => OpenedStore
