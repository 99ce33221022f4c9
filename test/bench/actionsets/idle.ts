import { setTimeout as delay } from 'node:timers/promises'
import { startEngine, type Engine, type EnginePart } from './engine.ts'
import type { Figures } from './figures.ts'
import type { Place } from './place.ts'

/** Started things settle in this time: watches open, memory of the start goes back. */
const settleMs = 10_000
const watchMs = 30_000

/** What the engine needs when there is nothing to do: as one process, and as two. */
export async function measureIdle(place: Place, bundle: string): Promise<Figures> {
  const [combined] = await idleOf(place, bundle, ['run'])
  const [operator, worker] = await idleOf(place, bundle, ['operator', 'worker'])
  return {
    idleCombined: combined ?? {},
    idleOperator: operator ?? {},
    idleWorker: worker ?? {},
    idleAimMB: 180,
    idleAimPercent: 1,
  }
}

async function idleOf(place: Place, bundle: string, parts: readonly EnginePart[]): Promise<Record<string, number>[]> {
  const engines: Engine[] = []
  try {
    for (const part of parts) engines.push(await startEngine(place, bundle, part))
    await delay(settleMs)
    const before = engines.map((engine) => engine.cpuSeconds())
    await delay(watchMs)
    return engines.map((engine, index) => ({
      residentMB: engine.residentMB(),
      percentOfCore: ((engine.cpuSeconds() - (before[index] ?? 0)) / (watchMs / 1000)) * 100,
    }))
  } finally {
    for (const engine of engines.toReversed()) await engine.stop()
  }
}
