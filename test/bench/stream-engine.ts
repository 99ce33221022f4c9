import { readFileSync, writeFileSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { backupStream } from '../../src/functions/backup-stream.ts'
import { createRepositories } from '../../src/functions/open-repositories.ts'
import { restoreStream } from '../../src/functions/restore-stream.ts'
import { openKube } from '../../src/kube/open.ts'
import type { ResolvedProfile } from '../../src/store/profile-json.ts'
import { aFunctionContext, runFunction } from '../build/function-context.ts'

/** What one measured run is told, as JSON on stdin. */
export interface StreamRun {
  readonly kubeconfig: string
  readonly namespace: string
  readonly profile: ResolvedProfile
  /** Of the application; with `snapshotID` the command gets that snapshot as its stdin, else its output is kept. */
  readonly command: readonly string[]
  readonly snapshotID?: string
}

export interface StreamCost {
  readonly outputs: Readonly<Record<string, unknown>>
  readonly seconds: number
  readonly cpuSeconds: number
  readonly idleMB: number
  readonly peakMB: number
  /** Parts of the resident memory when it was largest, as V8 sees them. */
  readonly atPeak: Readonly<Record<string, number>>
}

/** BackupStream or RestoreStream as the worker runs it, in a process of its own; prints a StreamCost. */
async function main(run: StreamRun): Promise<void> {
  const { kubeconfig, namespace, profile, command, snapshotID } = run
  const kube = await openKube({ env: {}, kubeconfig })
  const repositories = createRepositories({ kube, namespace, holder: randomUUID() })
  const { ctx } = aFunctionContext({ kube, repositories, profile, engine: { namespace, serviceAccount: 'default' } })
  await openOnce(run, ctx.signal, repositories)
  const idleMB = statusMB('VmRSS')
  // From here on VmHWM counts anew.
  writeFileSync('/proc/self/clear_refs', '5')
  const watch = watchMemory()
  const start = { ms: performance.now(), cpu: process.cpuUsage() }
  const args = { namespace, pod: 'app', command }
  const outputs =
    snapshotID === undefined
      ? await runFunction(backupStream, ctx, args)
      : await runFunction(restoreStream, ctx, { ...args, snapshotID })
  const { user, system } = process.cpuUsage(start.cpu)
  const cost: StreamCost = {
    outputs: outputs ?? {},
    seconds: (performance.now() - start.ms) / 1000,
    cpuSeconds: (user + system) / 1e6,
    idleMB,
    peakMB: statusMB('VmHWM'),
    atPeak: watch.stop(),
  }
  console.log(JSON.stringify(cost))
  process.exit(0)
}

/** Libraries loaded, connections open: idle is what a worker is that has worked before. */
async function openOnce(
  { profile, namespace }: StreamRun,
  signal: AbortSignal,
  repositories: ReturnType<typeof createRepositories>,
): Promise<void> {
  await using repository = await repositories.openForNamespace({ profile, namespace, create: true, signal })
  await repository.snapshots()
}

function watchMemory(): { stop(): Record<string, number> } {
  let most: Record<string, number> = { rss: 0 }
  const timer = setInterval(() => {
    const now = Object.fromEntries(Object.entries(process.memoryUsage()).map(([key, bytes]) => [key, Math.round(bytes / 1e6)]))
    if ((now['rss'] ?? 0) > (most['rss'] ?? 0)) most = now
  }, 25)
  return {
    stop: () => {
      clearInterval(timer)
      return most
    },
  }
}

function statusMB(field: 'VmRSS' | 'VmHWM'): number {
  const kib = new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'latin1'))?.[1]
  return Math.round((Number(kib) * 1024) / 1e6)
}

// The parent writes it: stream.ts.
await main(JSON.parse(readFileSync(0, 'utf8')) as StreamRun)
