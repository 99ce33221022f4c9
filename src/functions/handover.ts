import { HoldfastError } from '../base/errors.ts'

/**
 * True if `signal` was aborted because another attempt goes on with the phase: the worker shuts down, or it lost its fence. Then what
 * the other attempt can adopt (a running pod) is not cleaned up. On cancel, deadline and failure it is.
 */
export function isHandover(signal: AbortSignal): boolean {
  return signal.aborted && isHandoverReason(signal.reason)
}

/** The same of the reason of an abort. */
export function isHandoverReason(reason: unknown): boolean {
  return reason instanceof HoldfastError && handovers.has(reason.code)
}

const handovers: ReadonlySet<string> = new Set(['RUN_SHUTDOWN', 'RUN_FENCED', 'RUN_JOURNAL_AWAY'])
