import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { waitFor } from '../world/wait-for.ts'

/** A server that one test file starts for itself, with a folder of its own. */
export interface StoreServer {
  readonly endpoint: string
  stop(): Promise<void>
}

export interface ServerCommand {
  readonly name: string
  readonly program: string
  /** @default a free one */
  readonly port?: number
  readonly args: (port: number, folder: string) => readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** Starts it on a free port of this machine and waits until it answers. */
export async function startServer({ name, program, args, env, port: given }: ServerCommand): Promise<StoreServer> {
  const folder = await mkdtemp(join(tmpdir(), `holdfast-${name}-`))
  const port = given ?? (await freePort())
  // It ends with us, also where we are killed.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, ...args(port, folder)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(env ? { env: { ...process.env, ...env } } : {}),
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-4000)))
  const endpoint = `http://127.0.0.1:${port}`
  const stop = async (): Promise<void> => {
    await end(child)
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await waitFor(`${name} to answer`, async () => (await fetch(endpoint)).status > 0, {
      timeoutMs: 60_000,
      unless: () => child.exitCode !== null && `it ended with ${child.exitCode}: ${said}`,
    })
  } catch (error) {
    await stop()
    throw error
  }
  return { endpoint, stop }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

/** A port of this machine that nobody uses just now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
