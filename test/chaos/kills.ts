import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Fence } from '../../src/api/run.ts'
import { redisData } from '../harness/cluster/programs.ts'
import { harnessFolders } from '../harness/machine/folders.ts'
import type { Random } from '../simulation/random.ts'
import type { EngineProcess } from './engine-process.ts'
import type { Stage } from './stage.ts'
import type { Watcher } from './watcher.ts'

export const killKinds = {
  'worker, back at once': 34,
  'worker, another takes over': 12,
  'worker stopped and continued': 6,
  operator: 20,
  Redis: 9,
  'Redis, its data wiped': 7,
  'worker and operator at once': 4,
  'API server': 3,
  'API server, for minutes': 1,
  kubelet: 2,
  'application pod': 3,
} as const
export type KillKind = keyof typeof killKinds

/** What was killed, and whom it took its actions from. */
export interface Kill {
  readonly kind: KillKind
  readonly moment: string
  readonly atMs: number
  /** Actions that the worker had, with the fence that it had them under. */
  readonly owned: readonly { readonly key: string; readonly fence: Fence }[]
  /** When its next start had come so far that it could work. */
  readonly upMs?: () => number | undefined
}

/** Those that need nothing but the engine's own processes: for a cluster that others use too. */
export const ownKinds: readonly KillKind[] = [
  'worker, back at once',
  'worker, another takes over',
  'worker stopped and continued',
  'operator',
  'worker and operator at once',
]

export function drawKill(random: Random, from: readonly KillKind[] = Object.keys(killKinds) as KillKind[]): KillKind {
  const all = from.map((kind) => [kind, killKinds[kind]] as const)
  let at = random.next() * all.reduce((sum, [, weight]) => sum + weight, 0)
  for (const [kind, weight] of all) if ((at -= weight) < 0) return kind
  return 'operator'
}

/** Waits for its moment: a time of chance, or a journal write of chance, whichever was drawn. */
export async function waitForMoment(random: Random, watcher: Watcher): Promise<string> {
  const longestMs = 5_000
  if (random.chance(0.5)) {
    const ms = random.between(0, 3_000)
    await delay(ms)
    return `after ${ms} ms`
  }
  const count = random.between(1, 12)
  await Promise.race([watcher.write(count), delay(longestMs)])
  return `journal write ${count}`
}

/** Carries it out. What is to be back is back, or on its way, when this returns. */
export async function kill(stage: Stage, watcher: Watcher, random: Random, kind: KillKind, moment: string): Promise<Kill> {
  const worker = random.pick(stage.workers)
  const done = (owned: Kill['owned'] = []): Kill => ({ kind, moment, atMs: performance.now(), owned })
  switch (kind) {
    case 'worker, back at once':
    case 'worker, another takes over':
      return await killWorker(watcher, worker, kind, moment)
    case 'worker stopped and continued':
      return await putToSleep(watcher, worker, random.between(1_000, 16_000), moment)
    case 'worker and operator at once': {
      const both = Promise.all([stage.operator.kill(), killWorker(watcher, worker, kind, moment)])
      const [, killed] = await both
      stage.operator.start()
      return killed
    }
    case 'operator':
      await stage.operator.kill()
      stage.operator.start()
      return done()
    case 'Redis':
    case 'Redis, its data wiped':
      await killRedis(stage, kind !== 'Redis', random.between(0, 4_000))
      return done()
    case 'API server':
      await stage.world.program('kube-apiserver').kill()
      await delay(random.between(0, 3_000))
      await stage.world.program('kube-apiserver').start()
      return done()
    case 'API server, for minutes':
      // Longer than any lease, watch or try of a request lasts.
      await stage.world.program('kube-apiserver').kill()
      await delay(random.between(90_000, 150_000))
      await stage.world.program('kube-apiserver').start()
      return done()
    case 'kubelet':
      await stage.world.program('kubelet').kill()
      await delay(random.between(0, 3_000))
      await stage.world.program('kubelet').start()
      return done()
    case 'application pod':
      await stage.world.kubectl(['delete', 'pod', 'app-0', '-n', stage.namespace, '--force', '--grace-period=0'])
      return done()
  }
}

async function killWorker(watcher: Watcher, worker: EngineProcess, kind: KillKind, moment: string): Promise<Kill> {
  const owned = ownedBy(watcher, worker)
  const atMs = performance.now()
  await worker.kill()
  // The other one takes over when this one stays away for longer than a takeover takes.
  if (kind === 'worker, another takes over') void delay(18_000).then(() => worker.start())
  else worker.start()
  const start = worker.starts
  return { kind, moment, atMs, owned, upMs: () => worker.upMs.get(start) }
}

async function putToSleep(watcher: Watcher, worker: EngineProcess, ms: number, moment: string): Promise<Kill> {
  const owned = ownedBy(watcher, worker)
  const atMs = performance.now()
  worker.signal('SIGSTOP')
  await delay(ms)
  worker.signal('SIGCONT')
  return { kind: 'worker stopped and continued', moment: `${moment}, for ${ms} ms`, atMs, owned }
}

function ownedBy(watcher: Watcher, { options: { name } }: EngineProcess): Kill['owned'] {
  return watcher.ownedBy(name).flatMap((key) => {
    const fence = watcher.sights.get(key)?.at(-1)?.fence
    return fence ? [{ key, fence }] : []
  })
}

async function killRedis({ world }: Stage, wiped: boolean, awayMs: number): Promise<void> {
  await world.program('redis').kill()
  const folder = redisData(harnessFolders().state)
  if (wiped) for (const part of ['appendonlydir', 'dump.rdb']) rmSync(join(folder, part), { recursive: true, force: true })
  await delay(awayMs)
  await world.program('redis').start()
}
