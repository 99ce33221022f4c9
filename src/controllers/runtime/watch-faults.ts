import { messageOf } from '../../base/errors.ts'
import type { Logger } from '../../telemetry/logger.ts'

/** What an informer of this namespace does with the errors of its watch: it goes on by itself, so they are only noted. */
export function noteWatchFaults(log: Logger, namespace: string): (error: unknown) => void {
  return (error) => log.warn({ namespace, error: messageOf(error) }, 'watch interrupted, it is being repaired')
}
