/**
 * Kills the engine and what it stands on, on a cluster of its own, and looks whether anything was lost or done twice:
 * `npm run chaos -- --kills 200 --seed 7 [--minutes 30] [--record]`. `--record` adds the result to docs/chaos.md. Ends with one line of
 * JSON; the exit code is 1 when something was wrong.
 */
import { execFileSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { runChaos } from './chaos.ts'
import { killKinds, ownKinds, type KillKind } from './kills.ts'
import { figuresOf, record } from './report.ts'
import { setStage } from './stage.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    seed: { type: 'string' },
    minutes: { type: 'string', default: '600' },
    record: { type: 'boolean', default: false },
    // Only the engine's own processes are killed, so any cluster of the harness will do.
    own: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    // Only kills of these kinds, by how they begin: `kubelet;API server, for`.
    of: { type: 'string' },
    // For a checkout without its history.
    commit: { type: 'string' },
  },
})
// Redis and the API server die: never those of somebody else.
if (!values.own) process.env['HOLDFAST_CLUSTER'] ??= 'chaos'
const seed = Number(values.seed ?? Date.now() % 1_000_000)
const startedMs = performance.now()
const commit = values.commit ?? execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()

console.log(`seed ${seed}, commit ${commit}`)
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => process.exit(1))
const stage = await setStage()
console.log(`namespace ${stage.namespace}, logs in ${stage.logFolder}`)
let result
try {
  const untilMs = performance.now() + Number(values.minutes) * 60_000
  const kinds = values.own ? { kinds: ownKinds } : values.of === undefined ? {} : { kinds: kindsOf(values.of) }
  result = await runChaos(stage, { kills: Number(values.kills), seed, ...kinds, untilMs, say: (line) => console.log(line) })
} finally {
  if (!values.keep) await stage.close()
}
const run = { ...figuresOf(result), commit, seconds: Math.round((performance.now() - startedMs) / 1000) }
if (values.record) record(run)
if (result.complaints.length > 0) process.exitCode = 1
console.log(JSON.stringify(run))
// What waits for a later start of a worker is not waited for.
process.exit()

function kindsOf(text: string): KillKind[] {
  const all = Object.keys(killKinds) as KillKind[]
  const found = all.filter((kind) => text.split(';').some((start) => kind.startsWith(start.trim())))
  if (found.length === 0) throw new Error(`--of ${text}: the kinds are ${all.join('; ')}`)
  return found
}
