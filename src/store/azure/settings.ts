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
  | { readonly workload: AzureWorkload }

/** The identity of the pod, as the webhook of Azure's workload identity gives it. */
export interface AzureWorkload {
  /** File with the token of the service account; the cluster renews it. */
  readonly tokenFile: string
  readonly clientId: string
  readonly tenantId: string
  /** URL of the token service, such as https://login.microsoftonline.com */
  readonly authority: string
}
