import { createHash } from 'node:crypto'
import { copyFileSync, createReadStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { imageNode } from '../../deploy/build.ts'
import { ensureRestic } from '../harness/restic.ts'
import { bundleDataEngine } from './bundle-data-engine.ts'
import { changeOnePercent, writeMixedInput, writeSmallFiles } from './data-input.ts'
import { type ProcessCost, measureProcess } from './measure-process.ts'
import type { StoreTraffic } from './counted-store.ts'

/**
 * Our engine, bundled and with the flags of the image, beside the real restic on the same bytes, the same store, in turn:
 * `npm run bench:data -- --mib 2048 --files 200000 --stream-gib 20 --rounds 1 --only mixed,files,stream [--folder DIR | --s3 http://host:port/bucket]`
 * (AWS_ACCESS_KEY_ID and …SECRET… from the environment). Talk goes to stderr; the last line is JSON: ratios are restic's number by ours, so
 * above 1 we are better; memory is in MiB above the idle process. The stream has no restic beside it: its packs go nowhere.
 */
const { values } = parseArgs({
  options: {
    mib: { type: 'string', default: '2048' },
    files: { type: 'string', default: '200000' },
    'stream-gib': { type: 'string', default: '4' },
    rounds: { type: 'string', default: '1' },
    only: { type: 'string', default: 'mixed,files,stream' },
    folder: { type: 'string' },
    s3: { type: 'string' },
  },
})
const env = { RESTIC_PASSWORD: 'bench' }

interface Pair {
  readonly ours: ProcessCost
  readonly theirs: ProcessCost
}

interface Said extends StoreTraffic {
  readonly idleMiB: number
  readonly peakMiB: number
  readonly sizeBytes: number
  readonly sha256?: string
}

type Own = (...args: string[]) => Promise<ProcessCost>
type Figures = Record<string, number>

async function main(): Promise<void> {
  await ensureRestic()
  const base = mkdtempSync(join(values.folder ?? tmpdir(), 'holdfast-bench-'))
  try {
    const engine = await bundleDataEngine(join(base, 'engine'))
    const own: Own = (...args) =>
      measureProcess(process.execPath, [...imageNode.flags, engine, ...args], { env: { ...env, ...imageNode.env } })
    const wanted = new Set(values.only.split(','))
    const figures: Figures = {}
    if (wanted.has('mixed')) Object.assign(figures, await mixed(base, own))
    if (wanted.has('files')) Object.assign(figures, await files(base, own))
    if (wanted.has('stream')) Object.assign(figures, await stream(base, own))
    console.log(JSON.stringify({ bench: 'data', store: values.s3 ? 's3' : 'folder', mib: Number(values.mib), ...figures }))
  } finally {
    rmSync(base, { recursive: true, force: true })
  }
}

async function mixed(base: string, own: Own): Promise<Figures> {
  const sizeBytes = Number(values.mib) * 2 ** 20
  const input = { first: join(base, 'first'), second: join(base, 'second') }
  say(`input of ${values.mib} MiB`)
  writeMixedInput(input.first, sizeBytes)
  copyFileSync(input.first, input.second)
  changeOnePercent(input.second, sizeBytes)
  const rounds: Figures[] = []
  for (let round = 0; round < Number(values.rounds); round++) rounds.push(await mixedRound(base, own, input, round))
  rmSync(input.first)
  rmSync(input.second)
  return mediansOf(rounds)
}

async function mixedRound(base: string, own: Own, input: { first: string; second: string }, round: number): Promise<Figures> {
  const [ours, theirs, verified] = ['ours', 'theirs', 'verified'].map((name) => placeOf(base, `${name}-${round}`))
  if (!ours || !theirs || !verified) throw new Error('three places were made')
  await init(theirs)
  const restic = (file: string): Promise<ProcessCost> =>
    measureProcess('restic', ['-r', theirs, '--no-cache', 'backup', '-q', '--stdin', '--stdin-filename', 'data'], {
      env,
      inputFile: file,
    })
  const backup = { ours: await own('backup', ours, input.first), theirs: await restic(input.first) }
  const incremental = { ours: await own('backup', ours, input.second), theirs: await restic(input.second) }
  const dump = ['-r', theirs, '--no-cache', 'dump', 'latest', '/data']
  const restore = {
    ours: await own('restore', ours),
    theirs: await measureProcess('restic', dump, { env, discardOutput: true }),
  }
  await proveEqual(own, ours, input.second)
  const verify = await own('backup', verified, input.first, 'verify')
  return {
    ...compared('backup', backup),
    ...compared('incremental', incremental),
    ...compared('restore', restore),
    backupVerified: backup.theirs.seconds / verify.seconds,
    // Above 1 we keep more than restic.
    stored: (await storedBytes(ours)) / (await storedBytes(theirs)),
  }
}

async function files(base: string, own: Own): Promise<Figures> {
  const folder = join(base, 'small')
  say(`${values.files} small files`)
  writeSmallFiles(folder, Number(values.files))
  const [ours, theirs] = [placeOf(base, 'files-ours'), placeOf(base, 'files-theirs')]
  await init(theirs)
  const restic = (): Promise<ProcessCost> =>
    measureProcess('restic', ['-r', theirs, '--no-cache', 'backup', '-q', folder], { env, discardOutput: true })
  const first = { ours: await own('folder', ours, folder), theirs: await restic() }
  const again = { ours: await own('folder', ours, folder), theirs: await restic() }
  return {
    files: Number(values.files),
    ...mediansOf([{ ...compared('smallFiles', first), ...compared('smallFilesUnchanged', again) }]),
  }
}

/** Twice the length must not take more memory than the growth of the id set. */
async function stream(base: string, own: Own): Promise<Figures> {
  const bytes = Number(values['stream-gib']) * 2 ** 30
  say(`streams of ${values['stream-gib']} GiB and half of it`)
  const half = await own('stream', join(base, 'stream-half'), String(bytes / 2))
  const whole = await own('stream', join(base, 'stream'), String(bytes))
  say(describe('stream', whole))
  return {
    streamGiB: Number(values['stream-gib']),
    streamMBps: rounded(bytes / 1e6 / whole.seconds),
    streamCpuPerGB: rounded(whole.cpuSeconds / (bytes / 1e9)),
    streamHalfMiBAboveIdle: aboveIdle(half),
    streamMiBAboveIdle: aboveIdle(whole),
  }
}

function compared(name: string, { ours, theirs }: Pair): Figures {
  say(describe(`${name} ours`, ours))
  say(describe(`${name} theirs`, theirs))
  const { requests, bytesUp, bytesDown } = saidBy(ours)
  return {
    [name]: theirs.seconds / ours.seconds,
    [`${name}Cpu`]: theirs.cpuSeconds / ours.cpuSeconds,
    [`${name}MiBAboveIdle`]: aboveIdle(ours),
    [`${name}Requests`]: requests,
    [`${name}MBUp`]: bytesUp / 1e6,
    [`${name}MBDown`]: bytesDown / 1e6,
  }
}

function describe(name: string, { seconds, cpuSeconds, peakMiB }: ProcessCost): string {
  return `${name}: ${rounded(seconds)} s, ${rounded(cpuSeconds)} CPU s, ${rounded(peakMiB)} MiB`
}

/** A fast restore of the wrong bytes would be worth nothing. */
async function proveEqual(own: Own, at: string, original: string): Promise<void> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(original), hash)
  if (saidBy(await own('verify', at)).sha256 !== hash.digest('hex'))
    throw new Error('what was restored is not what was backed up')
}

async function init(place: string): Promise<void> {
  await measureProcess('restic', ['-r', place, 'init', '-q'], { env })
}

async function storedBytes(at: string): Promise<number> {
  const args = ['-r', at, '--no-cache', 'stats', '--mode', 'raw-data', '--json', '-q']
  return (JSON.parse((await measureProcess('restic', args, { env })).stdout) as { readonly total_size: number }).total_size
}

function placeOf(base: string, name: string): string {
  return values.s3 ? `s3:${values.s3}/${name}-${process.pid}` : join(base, name)
}

/** The line of data-engine.ts. */
function saidBy({ stdout }: ProcessCost): Said {
  return JSON.parse(stdout) as Said
}

function aboveIdle(cost: ProcessCost): number {
  const { peakMiB, idleMiB } = saidBy(cost)
  return rounded(peakMiB - idleMiB)
}

function mediansOf(rounds: readonly Figures[]): Figures {
  const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
  const names = Object.keys(rounds[0] ?? {})
  return Object.fromEntries(names.map((name) => [name, rounded(median(rounds.map((round) => round[name] ?? 0)))]))
}

function rounded(number: number): number {
  return Math.round(number * 100) / 100
}

function say(text: string): void {
  console.error(text)
}

await main()
