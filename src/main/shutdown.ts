import type { Logger } from '../telemetry/logger.ts'

/**
 * A signal that is aborted with reason `shutdown` at the first SIGTERM or SIGINT. A second one, or `graceMs` without an end,
 * ends the process at once: what it was doing is in the journal.
 */
export function shutdownSignal(log: Logger, graceMs: number): AbortSignal {
  const controller = new AbortController()
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(1)
    log.info({ signal: name }, 'shutting down')
    controller.abort(new Error('shutdown'))
    setTimeout(() => process.exit(1), graceMs).unref()
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  return controller.signal
}
