/**
 * How keys are kept in Secrets, for a key management service beside the cluster (a cloud's KMS, Vault's transit engine): what is in the Secret is then of no use
 * without that service. Prepared here; the one there is keeps keys as they are, and the Secret is what protects them.
 *
 * An implementation names itself in what it makes, so that a Secret written by another is refused with a clear error instead of being taken for a key.
 */
export interface KeyWrap {
  /** Plain key to what the Secret holds. */
  wrap(key: string, signal: AbortSignal): Promise<string>
  /** Back. Rejects for what another implementation made, and where the service does not answer. */
  unwrap(kept: string, signal: AbortSignal): Promise<string>
}

export const plainKeys: KeyWrap = {
  wrap: (key) => Promise.resolve(key),
  unwrap: (kept) => Promise.resolve(kept),
}
