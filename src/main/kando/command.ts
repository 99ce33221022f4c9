import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cliError } from '../../cli/errors.ts'

/**
 * What `sh -c command` prints on stdout; its stderr goes to ours. The stream fails unless the command ends with 0, so what is half is
 * never stored as whole. Its shell and all it started end with the signal.
 */
export async function* openCommand(
  command: string,
  env: Readonly<Record<string, string>> | undefined,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  signal.throwIfAborted()
  const child = spawn('sh', ['-c', command], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // A group of its own, so that it can be ended as a whole.
    detached: true,
    ...(env === undefined ? {} : { env }),
  })
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  // Looked at below; until then a failure to start is nobody's.
  ended.catch(() => {})
  const kill = (): void => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    try {
      process.kill(-child.pid, 'SIGKILL')
    } catch {
      // Gone meanwhile.
    }
  }
  signal.addEventListener('abort', kill, { once: true })
  try {
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) yield chunk
    const [code, by] = await ended
    signal.throwIfAborted()
    if (code !== 0)
      throw cliError('CLI_USAGE', `the command ended with ${code === null ? `signal ${by ?? ''}` : `exit code ${code}`}`)
  } finally {
    signal.removeEventListener('abort', kill)
    kill()
  }
}
