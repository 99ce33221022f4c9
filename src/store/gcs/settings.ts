import type { Clock } from '../../base/clock.ts'
import type { StoreTiming } from '../timing.ts'

/** Everything a connection to one bucket needs; nothing is read from the environment. */
export interface GcsSettings {
  readonly bucket: string
  /** @default https://storage.googleapis.com */
  readonly endpoint?: string
  readonly account: ServiceAccount | OwnIdentity
  /** Trust any certificate. @default false */
  readonly skipSslVerify?: boolean
  /** PEM certificates trusted instead of the system's. */
  readonly caPem?: string
  /** @default 64 */
  readonly maxConnections?: number
  readonly timing?: Partial<StoreTiming>
  readonly clock?: Clock
}

/** The identity of the process: application default credentials, or the metadata server. */
export interface OwnIdentity {
  /** Known already: else the library asks another service of Google for it. */
  readonly project: string
}

/** Of the JSON key file of a service account. */
export interface ServiceAccount {
  readonly email: string
  /** PEM. */
  readonly privateKey: string
  readonly keyId?: string
}
