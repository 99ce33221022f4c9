import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { build } from 'esbuild'
import { imageNode } from '../../deploy/build.ts'
import type { ResolvedProfile } from '../../src/store/profile-json.ts'
import { removeBucket } from '../harness/world/bucket.ts'
import { apply } from '../harness/world/objects.ts'
import { type World, openWorld } from '../harness/world/world.ts'
import { writeMixedInput } from './data-input.ts'
import type { StreamCost, StreamRun } from './stream-engine.ts'

/**
 * BackupStream and then RestoreStream on the real cluster, in a process that runs the bundle as the worker does:
 * `node test/bench/stream.ts --mib 1024 --rounds 1`. Says time, CPU, and resident memory above the idle process; the last line is JSON.
 */
const { values } = parseArgs({
  options: { mib: { type: 'string', default: '1024' }, rounds: { type: 'string', default: '1' } },
})
const root = resolve(import.meta.dirname, '../..')

interface Round {
  readonly idleMB: number
  readonly backup: StreamCost
  readonly restore: StreamCost
}

async function main(): Promise<void> {
  const world = await openWorld()
  const name = `bench-stream-${randomBytes(4).toString('hex')}`
  const { endpoint, region, accessKey, secretKey } = world.s3
  const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey }
  const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials })
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-stream-'))
  const bundle = join(folder, 'bundle')
  const sizeBytes = Number(values.mib) * 2 ** 20
  try {
    const engine = await bundleEngine(bundle)
    writeMixedInput(join(folder, 'input'), sizeBytes)
    await client.send(new CreateBucketCommand({ Bucket: name }))
    await startPod(world, name, folder)
    const rounds: Round[] = []
    for (let round = 0; round < Number(values.rounds); round++) {
      const profile = profileOf(world, name, `round-${round}`)
      const commands = { dump: ['cat', '/input/input'], load: ['sh', '-c', 'cat >/dev/null'] }
      const result = await measured(engine, { kubeconfig: world.kubeconfig, namespace: name, profile, ...commands })
      rounds.push(result)
      for (const kind of ['backup', 'restore'] as const) say(kind, result, sizeBytes)
    }
    report(rounds, sizeBytes)
  } finally {
    await world.kubectl(['delete', 'namespace', name, '--wait=false', '--ignore-not-found'])
    await removeBucket(client, name)
    client.destroy()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** As the image has it: type stripping alone would cost each thread what is measured here. */
async function bundleEngine(outdir: string): Promise<string> {
  const shim = `import { createRequire as benchRequire } from 'node:module'; const require = benchRequire(import.meta.url);`
  await build({
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node26',
    splitting: true,
    mainFields: ['module', 'main'],
    logLevel: 'warning',
    banner: { js: shim },
    entryPoints: [
      { in: join(root, 'test/bench/stream-engine.ts'), out: 'stream-engine' },
      { in: join(root, 'src/repository/pipeline/thread.ts'), out: 'repository-thread' },
    ],
    outdir,
  })
  cpSync(join(root, 'src/repository/kernel/chunker.wasm'), join(outdir, 'chunker.wasm'))
  writeFileSync(join(outdir, 'package.json'), '{ "type": "module" }\n')
  return join(outdir, 'stream-engine.js')
}

async function startPod(world: World, namespace: string, folder: string): Promise<void> {
  await world.kubectl(['create', 'namespace', namespace])
  const container = {
    name: 'main',
    image: await world.image('debian'),
    command: ['sleep', '100000'],
    volumeMounts: [{ name: 'input', mountPath: '/input' }],
  }
  await apply(world, namespace, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'app' },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [container],
      volumes: [{ name: 'input', hostPath: { path: folder } }],
    },
  })
  await world.kubectl(['wait', '-n', namespace, '--for=condition=Ready', 'pod/app', '--timeout=60s'])
}

function profileOf(world: World, bucket: string, prefix: string): ResolvedProfile {
  const { endpoint, region, accessKey, secretKey } = world.s3
  return {
    location: { type: 's3Compliant', bucket, endpoint, prefix, region, caBundle: '', checksums: '' },
    credential: { type: 'keyPair', keyPair: { id: accessKey, secret: secretKey } },
    skipSslVerify: false,
  }
}

async function measured(engine: string, run: StreamRun): Promise<Round> {
  const running = promisify(execFile)(process.execPath, [...imageNode.flags, engine], {
    timeout: 600_000,
    env: { ...process.env, ...imageNode.env },
  })
  running.child.stdin?.end(JSON.stringify(run))
  // Printed by stream-engine.ts.
  return JSON.parse((await running).stdout) as Round
}

function say(kind: 'backup' | 'restore', round: Round, sizeBytes: number): void {
  const { seconds, cpuSeconds, peakMB, atPeak } = round[kind]
  const speed = `${(sizeBytes / 1e6 / seconds).toFixed(0)} MB/s, ${((cpuSeconds * 1e9) / sizeBytes).toFixed(2)} CPU s a GB`
  console.error(`${kind}: ${speed}, ${peakMB} MB above idle (${round.idleMB}); ${JSON.stringify(atPeak)}`)
}

function report(rounds: readonly Round[], sizeBytes: number): void {
  const best = (kind: 'backup' | 'restore'): object => ({
    MBps: Math.round(sizeBytes / 1e6 / Math.min(...rounds.map((round) => round[kind].seconds))),
    cpuSecondsPerGB: Number(((Math.min(...rounds.map((round) => round[kind].cpuSeconds)) * 1e9) / sizeBytes).toFixed(2)),
    MBAboveIdle: Math.max(...rounds.map((round) => round[kind].peakMB)),
  })
  const result = { backup: best('backup'), restore: best('restore') }
  console.log(JSON.stringify({ bench: 'stream', mib: sizeBytes / 2 ** 20, ...result }))
}

await main()
