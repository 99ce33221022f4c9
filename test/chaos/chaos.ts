import { setTimeout as delay } from 'node:timers/promises'
import { Random } from '../simulation/random.ts'
import { drawKill, kill, killKinds, waitForMoment, type Kill, type KillKind } from './kills.ts'
import type { Stage } from './stage.ts'
import { verify, waitForEnd, type Ended } from './verify.ts'
import { Watcher } from './watcher.ts'
import { startWork, workKinds, type WorkKind } from './workload.ts'

export interface ChaosOptions {
  readonly kills: number
  readonly seed: number
  /** @default all */
  readonly kinds?: readonly KillKind[]
  /** No round begins after that, by `performance.now()`. */
  readonly untilMs?: number
  readonly say: (line: string) => void
}

export interface ChaosResult {
  readonly seed: number
  readonly kills: Readonly<Record<string, number>>
  readonly total: number
  readonly passed: number
  readonly actionSets: Readonly<Record<string, number>>
  readonly interrupted: number
  readonly complaints: readonly string[]
  /** From when its next start could work until each action of a killed worker was taken, in ms, sorted; 0 when it was taken before. */
  readonly backMs: readonly number[]
  /** From the kill until another worker had taken it. */
  readonly takeoverMs: readonly number[]
}

const killsPerRound = 3
const endMs = 150_000

/** Rounds of work with kills in it, each looked at when it has ended. */
export async function runChaos(
  stage: Stage,
  { kills, seed, kinds, untilMs = Infinity, say }: ChaosOptions,
): Promise<ChaosResult> {
  const random = new Random(seed)
  const watcher = new Watcher(stage.kube, stage.namespace)
  await watcher.synced()
  const sum = new Summary(seed)
  for (let round = 1; sum.total < kills && performance.now() < untilMs; round++) {
    const work = await startWork(stage, round, drawWork(random))
    const done: Kill[] = []
    const count = Math.min(killsPerRound, kills - sum.total)
    while (done.length < count) {
      const moment = await waitForMoment(random, watcher)
      done.push(await kill(stage, watcher, random, drawKill(random, kinds), moment))
    }
    const names = done.map(({ kind, moment }) => `${kind} (${moment})`).join('; ')
    const complaints: string[] = []
    let ended: Ended[] = []
    try {
      ended = await waitForEnd(stage, work, endMs)
      // Whoever sleeps or was killed is awake before the objects are looked at: late writes must have had their chance.
      for (const worker of [stage.operator, ...stage.workers]) worker.signal('SIGCONT')
      complaints.push(
        ...(await verify(
          stage,
          ended,
          done.map(({ kind }) => kind),
        )),
      )
    } catch (error) {
      complaints.push(String(error))
    }
    complaints.push(...watcher.complaints.splice(0))
    sum.add(done, ended, complaints, watcher)
    say(
      `round ${round}: ${names}: ${work.length} ActionSets, ${complaints.length === 0 ? 'all well' : `WRONG: ${complaints.join(' | ')}`}`,
    )
    for (const part of [stage.operator, ...stage.workers]) part.start()
    await delay(200)
  }
  await watcher.close()
  return sum.result()
}

/** One that scales at a time: two would fight over the replicas, as they would in life. */
function drawWork(random: Random): WorkKind[] {
  const others = workKinds.filter((kind) => kind !== 'scale')
  return [...others, 'scale', ...Array.from({ length: random.between(1, 4) }, () => random.pick(others))]
}

class Summary {
  total = 0
  readonly #seed: number
  readonly #kills: Partial<Record<KillKind, number>> = {}
  readonly #states: Record<string, number> = {}
  readonly #complaints: string[] = []
  readonly #backMs: number[] = []
  readonly #takeoverMs: number[] = []
  #passed = 0
  #interrupted = 0

  constructor(seed: number) {
    this.#seed = seed
  }

  add(kills: readonly Kill[], ended: readonly Ended[], complaints: readonly string[], watcher: Watcher): void {
    this.total += kills.length
    if (complaints.length === 0) this.#passed += kills.length
    this.#complaints.push(...complaints)
    for (const { kind } of kills) this.#kills[kind] = (this.#kills[kind] ?? 0) + 1
    for (const { state, action } of ended) {
      this.#states[state] = (this.#states[state] ?? 0) + 1
      if (action.error?.code === 'RUN_INTERRUPTED') this.#interrupted++
    }
    for (const each of kills) this.#time(each, kills, watcher)
  }

  #time({ kind, atMs, owned, upMs }: Kill, all: readonly Kill[], watcher: Watcher): void {
    for (const { key, fence } of owned) {
      const takenMs = watcher.takenAt(key, fence)
      if (takenMs === undefined || takenMs < atMs) continue
      // With something else dead meanwhile, nobody knows what was waited for.
      if (all.some((other) => other.atMs > atMs && other.atMs < takenMs)) continue
      if (kind === 'worker, another takes over') this.#takeoverMs.push(Math.round(takenMs - atMs))
      const backMs = kind === 'worker, back at once' ? upMs?.() : undefined
      if (backMs !== undefined) this.#backMs.push(Math.max(0, Math.round(takenMs - backMs)))
    }
  }

  result(): ChaosResult {
    const kinds = Object.keys(killKinds) as KillKind[]
    return {
      seed: this.#seed,
      kills: Object.fromEntries(kinds.flatMap((kind) => (this.#kills[kind] ? [[kind, this.#kills[kind] ?? 0]] : []))),
      total: this.total,
      passed: this.#passed,
      actionSets: this.#states,
      interrupted: this.#interrupted,
      complaints: this.#complaints,
      backMs: this.#backMs.toSorted((a, b) => a - b),
      takeoverMs: this.#takeoverMs.toSorted((a, b) => a - b),
    }
  }
}
