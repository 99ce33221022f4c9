import type { KubeClient } from '../client.ts'
import { ExecConnection, type ExecRequest } from './connection.ts'
import { keptEnd } from './kept-wrapper.ts'
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
  await runBeside(client, target, killer, [String(pid), String(graceSeconds)], (graceSeconds + 10) * 1000).catch(
    () => undefined,
  )
}

/** Ends the command of a record that was kept, wherever it runs, and removes the record. KUBE_* when the container cannot be asked. */
export async function dropKept(
  client: KubeClient,
  target: ExecRequest['target'],
  record: { readonly name: string; readonly graceSeconds: number; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const { name, graceSeconds, signal } = record
  await runBeside(client, target, keptEnd, [name, String(graceSeconds)], (graceSeconds + 20) * 1000, signal)
}

async function runBeside(
  client: KubeClient,
  target: ExecRequest['target'],
  program: string,
  args: readonly string[],
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const deadline = AbortSignal.timeout(timeoutMs)
  const both = signal ? AbortSignal.any([signal, deadline]) : deadline
  const command = ['sh', '-c', program, 'sh', ...args]
  const connection = await ExecConnection.open(client, {
    target,
    command,
    stdin: false,
    signal: both,
    connectTimeoutMs: timeoutMs,
  })
  const end = (): void => connection.terminate()
  both.addEventListener('abort', end, { once: true })
  if (both.aborted) end()
  connection.start(
    () => undefined,
    () => undefined,
  )
  await connection.ended.finally(() => both.removeEventListener('abort', end))
}
