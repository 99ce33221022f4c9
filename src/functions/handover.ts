import { HoldfastError } from '../base/errors.ts'
import type { FunctionContext } from './context.ts'

/**
 * True if `signal` was aborted because another attempt goes on with the phase: the worker shuts down, or it lost its fence. Then what
 * the other attempt can adopt (a running pod) is not cleaned up. On cancel, deadline and failure it is.
 */
function isHandover(signal: AbortSignal): boolean {
  return signal.aborted && isHandoverReason(signal.reason)
}

/**
 * True if what this attempt started belongs to another one by now, asked at the moment at which it would be cleaned up: a process that slept
 * meets its deadline, or a cancel, before it learns that it lost the action, and would take away what its successor has adopted (found by the simulation).
 */
export async function isHandedOver(ctx: Pick<FunctionContext, 'signal' | 'confirm'>): Promise<boolean> {
  if (isHandover(ctx.signal)) return true
  try {
    await ctx.confirm({ timeoutMs: askMs })
    return false
  } catch (error) {
    return isHandoverReason(error)
  }
}

/** A server that does not answer must not take the time that the cleaning up has. */
const askMs = 2_000

/** The same of the reason of an abort. */
export function isHandoverReason(reason: unknown): boolean {
  return reason instanceof HoldfastError && handovers.has(reason.code)
}

const handovers: ReadonlySet<string> = new Set(['RUN_SHUTDOWN', 'RUN_FENCED', 'RUN_JOURNAL_AWAY'])
