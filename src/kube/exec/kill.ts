import type { KubeClient } from '../client.ts'
import { ExecConnection, type ExecRequest } from './connection.ts'

/** By the group of the wrapper: the command, and all it started that made no session of its own. */
const killer = 'kill -TERM -"$1"; sleep "$2"; kill -KILL -"$1"; :'

/**
 * Ends a wrapper by a second exec beside it, for when its own stdin is stuck behind data that the command does not read.
 * Only while the first connection is alive: in a container that restarted the pid would be someone else's. Never throws.
 */
export async function killBeside(
  client: KubeClient,
  target: ExecRequest['target'],
  pid: number,
  graceSeconds: number,
): Promise<void> {
  const timeoutMs = (graceSeconds + 10) * 1000
  try {
    const connection = await ExecConnection.open(client, {
      target,
      command: ['sh', '-c', killer, 'sh', String(pid), String(graceSeconds)],
      stdin: false,
      signal: AbortSignal.timeout(timeoutMs),
      connectTimeoutMs: timeoutMs,
    })
    const timer = setTimeout(() => connection.terminate(), timeoutMs)
    connection.start(
      () => undefined,
      () => undefined,
    )
    await connection.ended.finally(() => clearTimeout(timer))
  } catch {
    // Best effort: closing the connection, which follows, is the other way to end it.
  }
}
