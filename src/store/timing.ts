import type { BackoffOptions } from '../base/backoff.ts'

/** How long a store is waited for, and how often it is asked again. */
export interface StoreTiming {
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

export const defaultTiming: StoreTiming = {
  connectMs: 10_000,
  idleMs: 30_000,
  requestMs: 15 * 60_000,
  firstAnswerMs: 45_000,
  graceMs: 5_000,
  cleanupMs: 30_000,
  // Some two minutes of `SlowDown`, and some eight.
  retry: { attempts: 36, firstMs: 200, maxMs: 5_000 },
  patientRetry: { attempts: 48, firstMs: 200, maxMs: 15_000 },
}
