import type { KubeClient } from '../client.ts'
import { ExecConnection, type ExecRequest } from './connection.ts'
import { endOfGroup } from './wrapper.ts'

/** The command, and all it started that made no session of its own. The wrapper itself ends when the connection is closed. */
const killer = `${endOfGroup}_hf_w=$1 _hf_g=$2\n_hf_end\n:`

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
