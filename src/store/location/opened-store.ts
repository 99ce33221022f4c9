import type { Clock } from '../../base/clock.ts'
import type { ObjectStore } from '../object-store.ts'
import type { ResolvedProfile } from '../profile-json.ts'
import type { StoreTiming } from '../timing.ts'

/** A store that holds sockets: close it, or open it by `await using`. */
export type OpenedStore = ObjectStore & AsyncDisposable

export interface OpenStoreOptions {
  /** Sockets to the endpoint at once. @default 64 */
  readonly maxConnections?: number
  readonly timing?: Partial<StoreTiming>
  readonly clock?: Clock
  /** Folder below which the volumes of filestores are mounted, each under its name. @default /filestores */
  readonly filestores?: string
  /** File with a SAS token, for Secrets of Azure that say `azure_federated_identity`. */
  readonly azureSasTokenFile?: string
}

/** Checks what a Profile says and gives the store, without asking anybody. */
export type Opener = (profile: ResolvedProfile, options: OpenStoreOptions) => OpenedStore
