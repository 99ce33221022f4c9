import type { Clock } from '../../base/clock.ts'
import type { StoreTiming } from '../timing.ts'

/** Everything a connection to one bucket needs. Made from a Profile by `location.ts`; nothing is read from the environment. */
export interface S3Settings {
  readonly bucket: string
  /** Base URL, a path in it is kept; given, buckets are addressed by path. @default AWS, addressed by host name */
  readonly endpoint?: string
  /** @default us-east-1, and whatever the store then says the bucket's region is */
  readonly region?: string
  readonly credentials: S3Credentials
  /** Trust any certificate. @default false */
  readonly skipSslVerify?: boolean
  /** PEM certificates trusted instead of the system's. */
  readonly caPem?: string
  readonly checksums?: ChecksumMode
  /** Parts of one size but for the last, as R2 wants. @default false */
  readonly equalParts?: boolean
  /** Sockets to the endpoint at once; a download holds one as long as it is read, so do not be too thrifty. @default 64 */
  readonly maxConnections?: number
  /** Object Lock for all that is put, but for what says otherwise. The bucket must have it enabled. */
  readonly retention?: Retention
  readonly timing?: Partial<StoreTiming>
  readonly clock?: Clock
}

export type S3Credentials = S3Keys | S3Identity

export interface S3Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** Credentials that are asked for, and asked for anew before they end. */
export interface S3Identity {
  /** ARN of a role to assume. @default none: what the process itself is */
  readonly role?: string
  /** Who assumes it. @default what the process itself is: web identity, container or instance */
  readonly keys?: S3Keys
  /** @default that of AWS in the region */
  readonly stsEndpoint?: string
}

/**
 * Whether `x-amz-checksum-sha256` goes with what is written, beside the signed SHA-256 that every request carries anyway.
 * - `required`: always; buckets with Object Lock want it.
 * - `off`: never.
 * - `auto`: as the endpoint takes it, found out at the first write.
 */
export type ChecksumMode = 'auto' | 'required' | 'off'

export interface Retention {
  /** Governance: who has the right to may lift it. Compliance: nobody. */
  readonly mode: 'GOVERNANCE' | 'COMPLIANCE'
  readonly days: number
}
