import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureRestic } from '../harness/restic.ts'
import { changeOnePercent, writeMixedInput } from './data-input.ts'
import { type ProcessCost, measureProcess } from './measure-process.ts'

/**
 * Our engine beside the real restic on the same bytes, the same store, in turn: `node test/bench/data.ts --mib 1024 --rounds 1 [--folder DIR |
 * --s3 http://host:port/bucket]` (AWS_ACCESS_KEY_ID and …SECRET… from the environment). Talk goes to stderr; the last line is JSON with every
 * number as a ratio, restic's seconds by ours.
 */
const { values } = parseArgs({
  options: {
    mib: { type: 'string', default: '1024' },
    rounds: { type: 'string', default: '1' },
    folder: { type: 'string' },
    s3: { type: 'string' },
  },
})
const env = { RESTIC_PASSWORD: 'bench' }
const engine = new URL('./data-engine.ts', import.meta.url).pathname

interface Round {
  readonly first: Pair
  readonly incremental: Pair
  readonly restore: Pair
  readonly verified: ProcessCost
  readonly storedRatio: number
}

interface Pair {
  readonly ours: ProcessCost
  readonly theirs: ProcessCost
}

async function main(): Promise<void> {
  await ensureRestic()
  const base = mkdtempSync(join(values.folder ?? tmpdir(), 'holdfast-bench-'))
  const sizeBytes = Number(values.mib) * 2 ** 20
  const rounds: Round[] = []
  try {
    const input = { first: join(base, 'first'), second: join(base, 'second') }
    say(`input of ${values.mib} MiB`)
    writeMixedInput(input.first, sizeBytes)
    copyFileSync(input.first, input.second)
    changeOnePercent(input.second, sizeBytes)
    for (let round = 0; round < Number(values.rounds); round++) rounds.push(await runRound(base, round, input))
    report(rounds, sizeBytes)
  } finally {
    rmSync(base, { recursive: true, force: true })
  }
}

async function runRound(
  base: string,
  round: number,
  input: { readonly first: string; readonly second: string },
): Promise<Round> {
  const place = (name: string): string =>
    values.s3 ? `s3:${values.s3}/${name}-${process.pid}-${round}` : join(base, `${name}-${round}`)
  const [ours, theirs, verified] = [place('ours'), place('theirs'), place('verified')]
  await measureProcess('restic', ['-r', theirs, 'init', '-q'], { env })
  const restic = (file: string): Promise<ProcessCost> =>
    measureProcess('restic', ['-r', theirs, '--no-cache', 'backup', '-q', '--stdin', '--stdin-filename', 'data'], {
      env,
      inputFile: file,
    })
  const own = (...args: string[]): Promise<ProcessCost> => measureProcess(process.execPath, [engine, ...args], { env })
  const first = { ours: await own('backup', ours, input.first), theirs: await restic(input.first) }
  const incremental = { ours: await own('backup', ours, input.second), theirs: await restic(input.second) }
  const restore = {
    ours: await own('restore', ours),
    theirs: await measureProcess('restic', ['-r', theirs, '--no-cache', 'dump', 'latest', '/data'], {
      env,
      discardOutput: true,
    }),
  }
  await proveEqual(own, ours, incremental.ours)
  const storedRatio = (await storedBytes(ours)) / (await storedBytes(theirs))
  return { first, incremental, restore, verified: await own('backup', verified, input.first, 'verify'), storedRatio }
}

/** A fast restore of the wrong bytes would be worth nothing. */
async function proveEqual(own: (...args: string[]) => Promise<ProcessCost>, at: string, backup: ProcessCost): Promise<void> {
  const restored = (JSON.parse((await own('verify', at)).stdout) as { readonly sha256: string }).sha256
  const original = (JSON.parse(backup.stdout) as { readonly sha256: string }).sha256
  if (restored !== original) throw new Error('what was restored is not what was backed up')
}

async function storedBytes(at: string): Promise<number> {
  const { stdout } = await measureProcess('restic', ['-r', at, '--no-cache', 'stats', '--mode', 'raw-data', '--json', '-q'], {
    env,
  })
  return (JSON.parse(stdout) as { readonly total_size: number }).total_size
}

function report(rounds: readonly Round[], sizeBytes: number): void {
  const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
  const of = (pick: (round: Round) => number): number => Number(median(rounds.map(pick)).toFixed(2))
  const mbps = (cost: ProcessCost): number => sizeBytes / 1e6 / cost.seconds
  const own = (cost: ProcessCost): { peakMiB: number; idleMiB: number } =>
    JSON.parse(cost.stdout) as { peakMiB: number; idleMiB: number }
  for (const kind of ['first', 'incremental', 'restore'] as const) {
    for (const who of ['ours', 'theirs'] as const) {
      const line = `${of((r) => r[kind][who].seconds)} s, ${of((r) => mbps(r[kind][who]))} MB/s, ${of((r) => r[kind][who].cpuSeconds)} CPU s, ${of((r) => r[kind][who].peakMiB)} MiB`
      say(`${kind} ${who}: ${line}`)
    }
  }
  const ratio = (kind: 'first' | 'incremental' | 'restore'): number => of((r) => r[kind].theirs.seconds / r[kind].ours.seconds)
  const cpu = (kind: 'first' | 'incremental' | 'restore'): number =>
    of((r) => r[kind].theirs.cpuSeconds / r[kind].ours.cpuSeconds)
  const aboveIdle = (kind: 'first' | 'incremental' | 'restore'): number =>
    of((r) => own(r[kind].ours).peakMiB - own(r[kind].ours).idleMiB)
  console.log(
    JSON.stringify({
      bench: 'data',
      mib: sizeBytes / 2 ** 20,
      store: values.s3 ? 's3' : 'folder',
      backup: ratio('first'),
      backupVerified: of((r) => r.first.theirs.seconds / r.verified.seconds),
      incremental: ratio('incremental'),
      restore: ratio('restore'),
      backupCpu: cpu('first'),
      restoreCpu: cpu('restore'),
      stored: of((r) => r.storedRatio),
      backupMiBAboveIdle: aboveIdle('first'),
      restoreMiBAboveIdle: aboveIdle('restore'),
    }),
  )
}

function say(text: string): void {
  console.error(text)
}

await main()
