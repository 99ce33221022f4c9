import { readFileSync, writeFileSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { backupStream } from '../../src/functions/backup-stream.ts'
import type { PhaseOutputs } from '../../src/functions/define.ts'
import { createRepositories } from '../../src/functions/open-repositories.ts'
import { restoreStream } from '../../src/functions/restore-stream.ts'
import { openKube } from '../../src/kube/open.ts'
import { openStore } from '../../src/store/location.ts'
import type { ResolvedProfile } from '../../src/store/profile-json.ts'
import { aFunctionContext, runFunction } from '../build/function-context.ts'

/** What one measured run is told, as JSON on stdin. */
export interface StreamRun {
  readonly kubeconfig: string
  readonly namespace: string
  readonly profile: ResolvedProfile
  /** Commands in the application: one prints what is kept, the other gets it back. */
  readonly dump: readonly string[]
  readonly load: readonly string[]
}

export interface StreamCost {
  readonly seconds: number
  readonly cpuSeconds: number
  /** Of resident memory, above the process that had only opened the repository. */
  readonly peakMB: number
  /** Parts of the resident memory when it was largest, as V8 sees them. */
  readonly atPeak: Readonly<Record<string, number>>
}

/** BackupStream, then RestoreStream, in one process as the worker runs them; prints `{ idleMB, backup, restore }`. */
async function main(run: StreamRun): Promise<void> {
  const { kubeconfig, namespace, profile, dump, load } = run
  const kube = await openKube({ env: {}, kubeconfig })
  const repositories = createRepositories({ kube, namespace, holder: randomUUID(), openStore })
  const { ctx } = aFunctionContext({ kube, repositories, profile, engine: { namespace, serviceAccount: 'default' } })
  await openOnce(run, ctx.signal, repositories)
  const idleMB = statusMB('VmRSS')
  const place = { namespace, pod: 'app' }
  let kept: PhaseOutputs | undefined
  const backup = await measured(idleMB, async () => (kept = await runFunction(backupStream, ctx, { ...place, command: dump })))
  const { snapshotID, sha256 } = kept ?? {}
  const args = { ...place, command: load, snapshotID, sha256 }
  const restore = await measured(idleMB, () => runFunction(restoreStream, ctx, args))
  console.log(JSON.stringify({ idleMB, backup, restore }))
  process.exit(0)
}

async function measured(idleMB: number, work: () => Promise<unknown>): Promise<StreamCost> {
  // From here on VmHWM counts anew.
  writeFileSync('/proc/self/clear_refs', '5')
  const watch = watchMemory()
  const start = { ms: performance.now(), cpu: process.cpuUsage() }
  await work()
  const { user, system } = process.cpuUsage(start.cpu)
  return {
    seconds: (performance.now() - start.ms) / 1000,
    cpuSeconds: (user + system) / 1e6,
    peakMB: statusMB('VmHWM') - idleMB,
    atPeak: watch.stop(),
  }
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
