import { HoldfastError } from '../base/errors.ts'

/**
 * True if `signal` was aborted because another attempt goes on with the phase: the worker shuts down, or it lost its fence. Then what
 * the other attempt can adopt (a running pod) is not cleaned up. On cancel, deadline and failure it is.
 */
export function isHandover(signal: AbortSignal): boolean {
  const reason: unknown = signal.reason
  return signal.aborted && reason instanceof HoldfastError && (reason.code === 'RUN_SHUTDOWN' || reason.code === 'RUN_FENCED')
}
