/** The object an Event is about. */
export interface EventSubject {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace?: string | undefined
  readonly name: string
  readonly uid?: string | undefined
  readonly resourceVersion?: string | undefined
}

export interface EventNote {
  readonly type: 'Normal' | 'Warning'
  /** CamelCase word for machines, up to 128 characters. */
  readonly reason: string
  /** Cut at 1,024 bytes by us, as the API wants. Never a secret. */
  readonly message: string
  /** What we were doing. @default the reason */
  readonly action?: string
}

/**
 * Sends Kubernetes Events in the background, one after the other. Never blocks, never throws. What a few ActionSets say goes out at
 * once; while more keeps coming only two a second do, and the rest follows when it is quiet: under load the API server's time
 * belongs to the work. Warnings go first. At most 1,000 wait, then the oldest that is no Warning is dropped; equal ones that
 * still wait are merged.
 */
export interface EventSink {
  send(subject: EventSubject, note: EventNote): void
  /** Sends all that waits without a pause, for at most `timeoutMs`. @default 2_000 */
  flush(timeoutMs?: number): Promise<void>
  /** How many were given up since the start. */
  readonly dropped: number
}
