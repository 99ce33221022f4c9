import { createHash } from 'node:crypto'
import { copyFileSync, createReadStream, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { imageNode } from '../../deploy/build.ts'
import { ensureRestic } from '../harness/restic.ts'
import { type OwnS3, startOwnS3 } from '../harness/stores/own-s3.ts'
import { bundleDataEngine } from './bundle-data-engine.ts'
import { changeOnePercent, writeMixedInput, writeSmallFiles } from './data-input.ts'
import { measureKopia } from './kopia.ts'
import { type ProcessCost, measureProcess } from './measure-process.ts'
import type { StoreTraffic } from './counted-store.ts'

/**
 * Our engine, bundled and with the flags of the image, beside the real restic on the same bytes, the same store, in turn:
 * `npm run bench:data -- --only mixed,s3,files,stream --mib 2048 --files 200000 --stream-gib 20 --rounds 1 [--folder DIR] [--s3 http://host:port/bucket]`.
 * Each part runs by itself too, asks for the disk that it needs before it begins (five times `--mib` and some; `--folder` says where; a folder in
 * memory takes the disk out of the figures) and removes what it made, also when it is interrupted. `s3` starts a server of its own on the same cores, unless
 * `--s3` names one (AWS_ACCESS_KEY_ID and …SECRET… from the environment). Talk goes to stderr; the last line is JSON: ratios are restic's number by
 * ours, so above 1 we are better, and Kopia's likewise where it is on the PATH; memory is in MiB above the idle process. The stream has no restic beside it: its packs go nowhere.
 */
const { values } = parseArgs({
  options: {
    mib: { type: 'string', default: '2048' },
    files: { type: 'string', default: '200000' },
    'stream-gib': { type: 'string', default: '20' },
    rounds: { type: 'string', default: '1' },
    only: { type: 'string', default: 'mixed,s3,files,stream' },
    folder: { type: 'string' },
    s3: { type: 'string' },
  },
})
const env: Record<string, string> = { RESTIC_PASSWORD: 'bench' }
const mixedBytes = Number(values.mib) * 2 ** 20
/** Inputs, then three repositories of some two thirds of one. */
const mixedRoom = 5 * mixedBytes
/** Of a small file: its blocks, and its share of two repositories. */
const roomOfFile = 20_000

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
  // Whatever a part starts keeps its files there too.
  process.env.TMPDIR = base
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      rmSync(base, { recursive: true, force: true })
      process.exit(130)
    })
  try {
    const engine = await bundleDataEngine(join(base, 'engine'))
    const own: Own = (...args) =>
      measureProcess(process.execPath, [...imageNode.flags, engine, ...args], { env: { ...env, ...imageNode.env } })
    const wanted = new Set(values.only.split(','))
    const figures: Figures = {}
    if (wanted.has('mixed')) Object.assign(figures, await mixed(base, own, (name) => join(base, name), join(base, 'kopia')))
    if (wanted.has('s3')) Object.assign(figures, await inS3(base, own))
    if (wanted.has('files')) Object.assign(figures, await files(base, own))
    if (wanted.has('stream')) Object.assign(figures, await stream(base, own))
    console.log(JSON.stringify({ bench: 'data', mib: Number(values.mib), rounds: Number(values.rounds), ...figures }))
  } finally {
    rmSync(base, { recursive: true, force: true })
  }
}

async function inS3(base: string, own: Own): Promise<Figures> {
  const server = values.s3 === undefined ? await startOwnS3() : undefined
  try {
    if (server) Object.assign(env, { AWS_ACCESS_KEY_ID: server.accessKey, AWS_SECRET_ACCESS_KEY: server.secretKey })
    const bucket = values.s3 ?? (await makeBucket(server))
    const figures = await mixed(base, own, (name) => `s3:${bucket}/${name}-${process.pid}`)
    return Object.fromEntries(
      Object.entries(figures).map(([name, value]) => [`s3${name[0]?.toUpperCase()}${name.slice(1)}`, value]),
    )
  } finally {
    await server?.stop()
  }
}

async function makeBucket(server: OwnS3 | undefined): Promise<string> {
  if (!server) throw new Error('a bucket is made on a server of our own only')
  const endpoint = `http://127.0.0.1:${server.port}`
  const credentials = { accessKeyId: server.accessKey, secretAccessKey: server.secretKey }
  const client = new S3Client({ endpoint, region: server.region, forcePathStyle: true, credentials })
  await client.send(new CreateBucketCommand({ Bucket: 'bench' }))
  client.destroy()
  return `${endpoint}/bench`
}

async function mixed(base: string, own: Own, placeOf: (name: string) => string, kopiaFolder?: string): Promise<Figures> {
  requireRoom(base, mixedRoom)
  const input = { first: join(base, 'first'), second: join(base, 'second') }
  say(`input of ${values.mib} MiB for ${placeOf('')}`)
  writeMixedInput(input.first, mixedBytes)
  copyFileSync(input.first, input.second)
  changeOnePercent(input.second, mixedBytes)
  const rounds: Figures[] = []
  for (let round = 0; round < Number(values.rounds); round++) {
    requireRoom(base, mixedRoom / 2)
    rounds.push(await mixedRound(own, input, (name) => placeOf(`${name}-${round}`), kopiaFolder))
    for (const name of repositories) rmSync(join(base, `${name}-${round}`), { recursive: true, force: true })
  }
  rmSync(input.first)
  rmSync(input.second)
  return mediansOf(rounds)
}

const repositories = ['ours', 'theirs', 'verified'] as const

async function mixedRound(
  own: Own,
  input: { readonly first: string; readonly second: string },
  placeOf: (name: (typeof repositories)[number]) => string,
  kopiaFolder: string | undefined,
): Promise<Figures> {
  const [ours, theirs, verified] = [placeOf('ours'), placeOf('theirs'), placeOf('verified')]
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
    ...(kopiaFolder &&
      (await besideKopia(kopiaFolder, input, { backup, incremental, restore, stored: await storedBytes(ours) }))),
  }
}

/** The same figures by Kopia's numbers; none where it is not there. */
async function besideKopia(
  folder: string,
  input: Parameters<typeof measureKopia>[1],
  measured: Readonly<Record<'backup' | 'incremental' | 'restore', Pair>> & { readonly stored: number },
): Promise<Figures> {
  const kopia = await measureKopia(folder, input)
  if (!kopia) return {}
  const figures: Figures = { storedKopia: measured.stored / kopia.storedBytes }
  for (const name of ['backup', 'incremental', 'restore'] as const) {
    say(describe(`${name} kopia`, kopia[name]))
    figures[`${name}Kopia`] = kopia[name].seconds / measured[name].ours.seconds
    figures[`${name}KopiaCpu`] = kopia[name].cpuSeconds / measured[name].ours.cpuSeconds
  }
  return figures
}

async function files(base: string, own: Own): Promise<Figures> {
  requireRoom(base, Number(values.files) * roomOfFile)
  const folder = join(base, 'small')
  say(`${values.files} small files`)
  writeSmallFiles(folder, Number(values.files))
  const [ours, theirs] = [join(base, 'files-ours'), join(base, 'files-theirs')]
  await init(theirs)
  const restic = (): Promise<ProcessCost> =>
    measureProcess('restic', ['-r', theirs, '--no-cache', 'backup', '-q', folder], { env, discardOutput: true })
  const first = { ours: await own('folder', ours, folder), theirs: await restic() }
  const again = { ours: await own('folder', ours, folder), theirs: await restic() }
  for (const made of [ours, theirs]) rmSync(made, { recursive: true })
  // As KubeExec and job pods send a volume.
  const archive = join(base, 'small.tar')
  await measureProcess('tar', ['cf', archive, '-C', base, 'small'])
  rmSync(folder, { recursive: true })
  const tar = await own('tar', ours, archive)
  say(describe('smallFilesTar', tar))
  for (const made of [ours, archive]) rmSync(made, { recursive: true })
  return {
    files: Number(values.files),
    smallFilesTarMiBAboveIdle: aboveIdle(tar),
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

function requireRoom(folder: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(folder)
  const [free, needed] = [bavail * bsize, bytes + 2 ** 30].map((size) => rounded(size / 2 ** 30))
  if (bavail * bsize < bytes + 2 ** 30)
    throw new Error(`${folder} has ${free} GiB free and ${needed} are needed: choose another --folder, or smaller numbers`)
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
