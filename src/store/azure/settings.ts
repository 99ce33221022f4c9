import type { Clock } from '../../base/clock.ts'
import type { StoreTiming } from '../timing.ts'

/** Everything a connection to one container needs; nothing is read from the environment. */
export interface AzureSettings {
  readonly container: string
  /** URL of the blob service, without the container. */
  readonly endpoint: string
  readonly access: AzureAccess
  /** Trust any certificate. @default false */
  readonly skipSslVerify?: boolean
  /** PEM certificates trusted instead of the system's. */
  readonly caPem?: string
  readonly timing?: Partial<StoreTiming>
  readonly clock?: Clock
}

export type AzureAccess =
  | { readonly account: string; readonly key: string }
  /** A file that holds a shared access signature for the container, which someone else keeps fresh. */
  | { readonly sasTokenFile: string }
