import type { BackoffOptions } from '../../base/backoff.ts'
import type { Clock } from '../../base/clock.ts'

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
  readonly timing?: Partial<S3Timing>
  readonly clock?: Clock
}

export interface S3Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/**
 * Whether `x-amz-checksum-sha256` goes with what is written, beside the signed SHA-256 that every request carries anyway.
 * - `required`: always; buckets with Object Lock want it.
 * - `off`: never.
 * - `auto`: as the endpoint takes it, found out at the first write.
 */
export type ChecksumMode = 'auto' | 'required' | 'off'

export interface S3Timing {
  readonly connectMs: number
  /** A connection on which nothing moves for so long is given up, and the request tried again. */
  readonly idleMs: number
  /** The longest that one request (not a download) may take. */
  readonly requestMs: number
  /** An endpoint that never answered anything is tried for so long: most likely its address is wrong. */
  readonly firstAnswerMs: number
  /** What a put may still take after an abort, when it is being published. */
  readonly graceMs: number
  /** The longest that tidying up may take: aborting an upload, removing a section. */
  readonly cleanupMs: number
  readonly retry: BackoffOptions & { readonly attempts: number }
  /** For parts of long uploads and breaks of downloads, where giving up is dear. Counted anew after each progress. */
  readonly patientRetry: BackoffOptions & { readonly attempts: number }
}

export const defaultTiming: S3Timing = {
  connectMs: 10_000,
  idleMs: 30_000,
  requestMs: 15 * 60_000,
  firstAnswerMs: 45_000,
  graceMs: 5_000,
  cleanupMs: 30_000,
  retry: { attempts: 5, firstMs: 200, maxMs: 5_000 },
  patientRetry: { attempts: 9, firstMs: 200, maxMs: 15_000 },
}
