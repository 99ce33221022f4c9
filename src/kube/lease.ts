export interface LeaseOptions {
  readonly namespace: string
  readonly name: string
  /** Who we are; unique among holders. */
  readonly holder: string
  /** For how long a lease holds without renewal. @default 15_000 */
  readonly durationMs?: number
  /** @default a third of durationMs */
  readonly renewMs?: number
  readonly labels?: Readonly<Record<string, string>>
}

/**
 * A lease that is held. `signal` is aborted with KUBE_LEASE_LOST as soon as it may be someone else's: at the latest
 * when `durationMs` passed since the last renewal that succeeded. Work under the lease takes this signal.
 */
export interface HeldLease {
  readonly signal: AbortSignal
  /** Rises with each change of holder (leaseTransitions): the fencing token. */
  readonly fence: number
  /** Stops renewing and gives the lease free for others at once. Never throws. */
  release(): Promise<void>
}

export interface Leases {
  /** One try. KUBE_LEASE_HELD names the holder when someone else has it and it has not run out. */
  tryAcquire(options: LeaseOptions, call?: { readonly signal?: AbortSignal | undefined }): Promise<HeldLease>
  /** Waits until it is ours. */
  acquire(options: LeaseOptions, call: { readonly signal: AbortSignal }): Promise<HeldLease>
}
