/**
 * Runs the engine on seeds: `npm run simulate -- --seeds 1000 --workers 2`, `--minutes 5`, or `--seed 4711` for one with its
 * trace. Ends with one line of JSON; the exit code is 1 when a seed failed.
 */
import { parseArgs } from 'node:util'
import { playInProcesses, playSeeds, reportOf, type Share } from './many-seeds.ts'
import { simulate } from './simulate.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    seed: { type: 'string' },
    from: { type: 'string' },
    minutes: { type: 'string' },
    workers: { type: 'string' },
  },
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
  const { from, seeds, minutes, workers } = values
  const share: Share = {
    from: Number(from ?? 1),
    seeds: Number(seeds ?? (minutes === undefined ? 200 : Number.MAX_SAFE_INTEGER)),
    minutes: Number(minutes ?? 1e6),
  }
  const startedMs = performance.now()
  const say = (line: string): void => console.log(line)
  const sums = workers === undefined ? await playSeeds(share, say) : await playInProcesses(share, Number(workers), say)
  if (sums.failed.length > 0) process.exitCode = 1
  console.log(JSON.stringify(reportOf(share.from, sums, performance.now() - startedMs)))
}
