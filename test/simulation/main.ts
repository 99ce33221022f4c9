/**
 * Runs the engine on seeds: `npm run simulate -- --seeds 1000`, `--minutes 5`, or `--seed 4711` for one with its trace. Ends with
 * one line of JSON; the exit code is 1 when a seed failed.
 */
import { parseArgs } from 'node:util'
import { simulate } from './simulate.ts'

const { values } = parseArgs({
  options: { seeds: { type: 'string' }, seed: { type: 'string' }, from: { type: 'string' }, minutes: { type: 'string' } },
})

process.on('unhandledRejection', (error) => {
  console.error('unhandled rejection', error)
  process.exitCode = 1
})

await (values.seed === undefined ? many() : one(Number(values.seed)))

async function one(seed: number): Promise<void> {
  const { trace, complaints, steps, virtualMs, fingerprint, counts } = await simulate(seed, { traced: true })
  for (const line of trace) console.log(line)
  for (const complaint of complaints) console.log(`FAILED ${complaint}`)
  if (complaints.length > 0) process.exitCode = 1
  console.log(
    JSON.stringify({ seed, failed: complaints.length, steps, virtualSeconds: virtualMs / 1000, fingerprint, ...counts }),
  )
}

async function many(): Promise<void> {
  const from = Number(values.from ?? 1)
  const seeds = Number(values.seeds ?? (values.minutes === undefined ? 200 : Number.MAX_SAFE_INTEGER))
  const startedMs = performance.now()
  const untilMs = startedMs + Number(values.minutes ?? 1e6) * 60_000
  const failed: number[] = []
  const deathsAtWrites = new Set<string>()
  const sums = { passed: 0, steps: 0, virtualHours: 0, starts: 0, deaths: 0, actionSets: 0 }
  for (let seed = from; seed < from + seeds && performance.now() < untilMs && failed.length < 20; seed++) {
    const { complaints, steps, virtualMs, counts, diedAtWrites } = await simulate(seed)
    for (const each of diedAtWrites) deathsAtWrites.add(each)
    if (complaints.length > 0) {
      failed.push(seed)
      console.log(`seed ${seed} FAILED: ${complaints.join(' | ').slice(0, 1_000)}`)
    } else sums.passed++
    sums.steps += steps
    sums.virtualHours += virtualMs / 3_600_000
    sums.starts += counts['starts'] ?? 0
    sums.deaths += counts['deaths'] ?? 0
    sums.actionSets += counts['actionSets'] ?? 0
    if ((sums.passed + failed.length) % 1_000 === 0) console.log(`${sums.passed} passed, ${failed.length} failed`)
  }
  if (failed.length > 0) process.exitCode = 1
  const seconds = Math.round((performance.now() - startedMs) / 1000)
  console.log(
    JSON.stringify({
      from,
      ...sums,
      virtualHours: Math.round(sums.virtualHours),
      journalWritesDiedAt: deathsAtWrites.size,
      failed,
      seconds,
    }),
  )
}
