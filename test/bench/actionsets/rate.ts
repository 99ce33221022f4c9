import { availableParallelism } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { mapBounded } from '../../../src/base/semaphore.ts'
import { startEngine, type Engine } from './engine.ts'
import { median, type Figures } from './figures.ts'
import type { Place } from './place.ts'
import { withServerCost, type ServerCost } from './server-cost.ts'

/** How many bare execs at a time go fastest is tried out: too few leave a core idle, too many stand in each other's way. */
const parallels = [4, 8, 16]
const rounds = 3

/** One ActionSet after the other, created to complete, beside a bare exec. */
export async function measureSingle(place: Place, bundle: string): Promise<Figures> {
  const engine = await startEngine(place, bundle)
  try {
    for (let index = 0; index < 3; index++) await place.run(`warm-${index}`)
    const single: number[] = []
    const bare: number[] = []
    for (let index = 0; index < 15; index++) {
      bare.push(await timed(() => place.bareExec()))
      single.push(await place.run(`single-${index}`))
    }
    return { singleMs: median(single), singleMsBest: Math.min(...single), bareExecMs: median(bare), singleAim: 150 }
  } finally {
    await engine.stop()
  }
}

/** Many at once, in turns with as many bare execs; the median of the rounds' ratios. */
export async function measureAtOnce(place: Place, bundle: string, count: number): Promise<Figures> {
  const engine = await startEngine(place, bundle)
  try {
    const parallel = await bestParallel(place)
    await manyAtOnce(place, 'warm', Math.min(count, 50))
    const seen: Round[] = []
    for (let index = 0; index < (count > 200 ? 1 : rounds); index++) {
      seen.push(await oneRound(place, engine, { count, parallel, name: `many-${count}-${index}` }))
    }
    const last = seen.at(-1) as Round
    return {
      [`rate${count}`]: median(seen.map(({ rate }) => rate)),
      [`bareRate${count}`]: median(seen.map(({ bareRate }) => bareRate)),
      [`ratio${count}`]: median(seen.map(({ rate, bareRate }) => rate / bareRate)),
      [`bareParallel${count}`]: parallel,
      [`requests${count}`]: perActionSet(last.cost.requests, count),
      [`requestsPerActionSet${count}`]: total(last.cost.requests) / count,
      [`cpuMsPerActionSet${count}`]: perActionSet(scaled({ ...last.cost.cpuSeconds, engine: last.engineCpu }), count),
      [`cpuMsPerBareExec${count}`]: perActionSet(scaled(last.bareCost.cpuSeconds), count),
    }
  } finally {
    await engine.stop()
  }
}

interface Round {
  readonly rate: number
  readonly bareRate: number
  readonly cost: ServerCost
  readonly bareCost: ServerCost
  readonly engineCpu: number
}

async function oneRound(
  place: Place,
  engine: Engine,
  { count, parallel, name }: { readonly count: number; readonly parallel: number; readonly name: string },
): Promise<Round> {
  await quiet(engine)
  let bareRate = 0
  const bareCost = await withServerCost(place, async () => {
    bareRate = await bare(place, count, parallel)
  })
  const before = engine.cpuSeconds()
  let rate = 0
  const cost = await withServerCost(place, async () => {
    rate = await manyAtOnce(place, name, count)
  })
  return { rate, bareRate, cost, bareCost, engineCpu: engine.cpuSeconds() - before }
}

/** What the engine does after the work (Events that waited) must not slow the reference down. */
async function quiet(engine: Engine): Promise<void> {
  for (let look = 0, last = 0; look < 60; look++) {
    const now = engine.cpuSeconds()
    if (now - last < 0.04) return
    last = now
    await delay(1_000)
  }
}

async function bestParallel(place: Place): Promise<number> {
  await bare(place, 20, availableParallelism() * 2)
  let best = { parallel: 0, rate: 0 }
  for (const parallel of parallels) {
    const rate = await bare(place, 60, parallel)
    if (rate > best.rate) best = { parallel, rate }
  }
  return best.parallel
}

async function bare(place: Place, count: number, parallel: number): Promise<number> {
  const ms = await timed(async () => {
    await mapBounded(Array.from({ length: count }), parallel, () => place.bareExec())
  })
  return count / (ms / 1000)
}

async function manyAtOnce(place: Place, name: string, count: number): Promise<number> {
  const ms = await timed(async () => {
    await Promise.all(Array.from({ length: count }, (_, index) => place.run(`${name}-${index}`)))
  })
  return count / (ms / 1000)
}

function perActionSet(counts: Readonly<Record<string, number>>, count: number): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([name, value]) => [name, value / count]))
}

function scaled(seconds: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(seconds).map(([name, value]) => [name, value * 1000]))
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, value) => sum + value, 0)
}

async function timed(work: () => Promise<void>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}
