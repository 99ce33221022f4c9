import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { simulate } from './simulate.ts'

/** Seeds to play one after the other: so many from the first, or until the time is up. */
export interface Share {
  readonly from: number
  readonly seeds: number
  readonly minutes: number
}

/** What came of seeds; adds up. */
export interface Sums {
  readonly passed: number
  readonly steps: number
  readonly virtualHours: number
  readonly starts: number
  readonly deaths: number
  readonly actionSets: number
  readonly failed: readonly number[]
  /** Journal writes at which somebody died, before or after: `12 before`. */
  readonly diedAt: readonly string[]
}

type Say = (line: string) => void

const none: Sums = { passed: 0, steps: 0, virtualHours: 0, starts: 0, deaths: 0, actionSets: 0, failed: [], diedAt: [] }

/** After so many failures something is wrong everywhere. */
const enoughFailures = 20
/** A process of many gets so many seeds at a time, so that none waits long for the others. */
const shareSize = 2_000

export async function playSeeds({ from, seeds, minutes }: Share, say: Say): Promise<Sums> {
  const untilMs = performance.now() + minutes * 60_000
  let sums = none
  for (let seed = from; seed < from + seeds && performance.now() < untilMs && sums.failed.length < enoughFailures; seed++) {
    sums = add(sums, await playSeed(seed, say))
    if ((seed - from + 1) % 1_000 === 0) say(`${sums.passed} passed, ${sums.failed.length} failed`)
  }
  return sums
}

/** The same in `count` processes at a time, a share each. A process that ends without an answer is a failure of its first seed. */
export async function playInProcesses({ from, seeds, minutes }: Share, count: number, say: Say): Promise<Sums> {
  const startedMs = performance.now()
  let sums = none
  let next = from
  const work = async (): Promise<void> => {
    for (;;) {
      const left = minutes - (performance.now() - startedMs) / 60_000
      if (next >= from + seeds || left <= 0 || sums.failed.length >= enoughFailures) return
      const share = { from: next, seeds: Math.min(shareSize, from + seeds - next), minutes: left }
      next += share.seeds
      const played = await playApart(share, say)
      sums = add(sums, played)
      if (sums.passed % 5_000 < shareSize) say(`${sums.passed} passed, ${sums.failed.length} failed, next seed ${next}`)
    }
  }
  await Promise.all(Array.from({ length: count }, work))
  return sums
}

export function reportOf(from: number, { diedAt, ...sums }: Sums, ms: number): object {
  const virtualHours = Math.round(sums.virtualHours)
  return { from, ...sums, virtualHours, journalWritesDiedAt: diedAt.length, seconds: Math.round(ms / 1000) }
}

async function playSeed(seed: number, say: Say): Promise<Sums> {
  const { complaints, steps, virtualMs, counts, diedAtWrites } = await simulate(seed)
  if (complaints.length > 0) say(`seed ${seed} FAILED: ${complaints.join(' | ').slice(0, 1_000)}`)
  return {
    passed: complaints.length > 0 ? 0 : 1,
    failed: complaints.length > 0 ? [seed] : [],
    steps,
    virtualHours: virtualMs / 3_600_000,
    starts: counts['starts'] ?? 0,
    deaths: counts['deaths'] ?? 0,
    actionSets: counts['actionSets'] ?? 0,
    diedAt: diedAtWrites,
  }
}

async function playApart(share: Share, say: Say): Promise<Sums> {
  const program = fileURLToPath(new URL('one-share.ts', import.meta.url))
  const args = [...nodeFlags, program, JSON.stringify(share)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise((resolve) => child.once('close', resolve))
  let sums: Sums | undefined
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('{')) sums = JSON.parse(line) as Sums
    else if (!/^\d+ passed/.test(line)) say(line)
  }
  await ended
  if (sums) return sums
  say(`seeds from ${share.from}: the process ended before them`)
  return { ...none, failed: [share.from] }
}

/** A seed makes much that is soon forgotten, and its errors are expected: a half more seeds a second. */
const nodeFlags = ['--max-semi-space-size=32', '--stack-trace-limit=0']

function add(a: Sums, b: Sums): Sums {
  return {
    passed: a.passed + b.passed,
    steps: a.steps + b.steps,
    virtualHours: a.virtualHours + b.virtualHours,
    starts: a.starts + b.starts,
    deaths: a.deaths + b.deaths,
    actionSets: a.actionSets + b.actionSets,
    failed: [...a.failed, ...b.failed],
    diedAt: [...new Set([...a.diedAt, ...b.diedAt])],
  }
}
