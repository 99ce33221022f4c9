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
 * BackupStream and RestoreStream on the real cluster, each in a process of its own that runs the bundle as the worker does:
 * `node test/bench/stream.ts --mib 1024 --rounds 1`. Says time, CPU, and resident memory above the idle process; the last line is JSON.
 */
const { values } = parseArgs({
  options: { mib: { type: 'string', default: '1024' }, rounds: { type: 'string', default: '1' } },
})
const root = resolve(import.meta.dirname, '../..')

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
    const rounds: Array<{ readonly backup: StreamCost; readonly restore: StreamCost }> = []
    for (let round = 0; round < Number(values.rounds); round++) {
      const run = { kubeconfig: world.kubeconfig, namespace: name, profile: profileOf(world, name, `round-${round}`) }
      const backup = await measured(engine, { ...run, command: ['cat', '/input/input'] })
      const snapshotID = String(backup.outputs['snapshotID'])
      const restore = await measured(engine, { ...run, command: ['sh', '-c', 'cat >/dev/null'], snapshotID })
      if (restore.outputs['sha256'] !== backup.outputs['sha256']) throw new Error('what was restored is not what was kept')
      rounds.push({ backup, restore })
      for (const [kind, cost] of Object.entries({ backup, restore })) say(kind, cost, sizeBytes)
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

async function measured(engine: string, run: StreamRun): Promise<StreamCost> {
  const running = promisify(execFile)(process.execPath, [...imageNode.flags, engine], {
    timeout: 600_000,
    env: { ...process.env, ...imageNode.env },
  })
  running.child.stdin?.end(JSON.stringify(run))
  const { stdout } = await running
  return JSON.parse(stdout) as StreamCost
}

function say(kind: string, { seconds, cpuSeconds, idleMB, peakMB, atPeak }: StreamCost, sizeBytes: number): void {
  const speed = `${(sizeBytes / 1e6 / seconds).toFixed(0)} MB/s, ${((cpuSeconds * 1e9) / sizeBytes).toFixed(2)} CPU s a GB`
  console.error(`${kind}: ${speed}, ${peakMB - idleMB} MB above idle (${idleMB}); ${JSON.stringify(atPeak)}`)
}

function report(rounds: ReadonlyArray<{ readonly backup: StreamCost; readonly restore: StreamCost }>, sizeBytes: number): void {
  const most = (pick: (round: (typeof rounds)[number]) => StreamCost): object => {
    const costs = rounds.map(pick)
    return {
      MBps: Math.round(sizeBytes / 1e6 / Math.min(...costs.map(({ seconds }) => seconds))),
      cpuSecondsPerGB: Number(((Math.min(...costs.map(({ cpuSeconds }) => cpuSeconds)) * 1e9) / sizeBytes).toFixed(2)),
      MBAboveIdle: Math.max(...costs.map(({ peakMB, idleMB }) => peakMB - idleMB)),
    }
  }
  const result = { backup: most(({ backup }) => backup), restore: most(({ restore }) => restore) }
  console.log(JSON.stringify({ bench: 'stream', mib: sizeBytes / 2 ** 20, ...result }))
}

await main()
