import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { imageNode } from '../../../deploy/build.ts'
import { waitFor } from '../../harness/world/wait-for.ts'
import type { Place } from './place.ts'

/** A process of the engine as the image starts it: bundled, with the image's settings of Node. */
export interface Engine {
  /** From its start to the line that says that it works, in ms. */
  readonly readyMs: number
  /** Of stderr so far. */
  readonly logBytes: number
  cpuSeconds(): number
  residentMB(): number
  /** The most since the start, or since `forgetPeak`. */
  peakMB(): number
  forgetPeak(): void
  stop(signal?: NodeJS.Signals): Promise<void>
}

export type EnginePart = 'run' | 'operator' | 'worker'

/** An operator works when it leads and has listed everything; its readiness probe says less. */
const readyLines: Readonly<Record<EnginePart, readonly string[]>> = {
  run: ['"msg":"ready"', '"msg":"leads"'],
  operator: ['"msg":"leads"'],
  worker: ['"msg":"ready"'],
}
const ticksPerSecond = 100

export async function startEngine(place: Place, bundle: string, part: EnginePart = 'run'): Promise<Engine> {
  const { world, namespace } = place
  const env = {
    PATH: process.env['PATH'],
    NODE_ENV: 'production',
    ...imageNode.env,
    KUBECONFIG: world.kubeconfig,
    POD_NAMESPACE: namespace,
    REDIS_URL: world.redisUrl,
    HOLDFAST_WORKER_NAME: `bench-${part}`,
    HEALTH_CHECK_PORT: '0',
  }
  const started = performance.now()
  const args = [...imageNode.flags, join(bundle, 'holdfast.js'), part]
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
  const { pid = 0 } = child
  let log = ''
  let logBytes = 0
  child.stderr.on('data', (chunk: Buffer) => {
    logBytes += chunk.length
    log = (log + chunk.toString()).slice(-100_000)
  })
  const unless = (): string | false => child.exitCode !== null && `it ended: ${log}`
  await waitFor(`the ${part}`, () => readyLines[part].every((line) => log.includes(line)), {
    timeoutMs: 60_000,
    intervalMs: 10,
    unless,
  })
  const readyMs = performance.now() - started
  return {
    readyMs,
    get logBytes() {
      return logBytes
    },
    cpuSeconds: () => cpuSecondsOf(pid),
    residentMB: () => statusMB(pid, 'VmRSS'),
    peakMB: () => statusMB(pid, 'VmHWM'),
    forgetPeak: () => writeFileSync(`/proc/${pid}/clear_refs`, '5'),
    async stop(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill(signal)
      await ended
    },
  }
}

/** Of a process and all its threads, without its children. */
export function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

function statusMB(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const kiB = new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
  return (Number(kiB) * 1024) / 1e6
}
