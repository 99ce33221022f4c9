/**
 * How fast ActionSets of one `KubeExec true` go, beside the bare rate of our own exec client in the same run, on the cluster of
 * the harness. `node test/bench/actionsets.ts [--count 50]`. The last line is JSON.
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { ActionSet } from '../../src/api/actionset.ts'
import type { Blueprint } from '../../src/api/blueprint.ts'
import { openKube } from '../../src/kube/open.ts'
import { ownKinds } from '../../src/kube/own-kinds.ts'
import { mapBounded } from '../../src/base/semaphore.ts'
import { apply } from '../harness/world/objects.ts'
import { waitFor } from '../harness/world/wait-for.ts'
import { openWorld } from '../harness/world/world.ts'

const { values } = parseArgs({
  options: { count: { type: 'string', default: '50' }, singles: { type: 'string', default: '15' } },
})
const count = Number(values.count)
const singles = Number(values.singles)
const root = resolve(import.meta.dirname, '../..')
const world = await openWorld()
const namespace = `bench-${randomBytes(3).toString('hex')}`
const kube = await openKube({ env: {}, kubeconfig: world.kubeconfig })
const waiting = new Map<string, { readonly end: () => void; readonly fail: (error: Error) => void }>()
const closers: (() => Promise<unknown> | void)[] = []

try {
  await prepare()
  const bare = await bareRate()
  await startEngine()
  const single = await singleLatency()
  const many = await manyAtOnce()
  const figures = {
    singleMsMedian: median(single),
    singleMsBest: Math.min(...single),
    count,
    ...many,
    ...bare,
    ratio: many.actionSetsPerSecond / bare.execsPerSecond,
  }
  console.log(
    JSON.stringify(Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, Math.round(value * 1000) / 1000]))),
  )
} finally {
  for (const close of closers.toReversed()) await close()
  await kube.close()
}

async function prepare(): Promise<void> {
  await world.kubectl(['apply', '--server-side', '--force-conflicts', '-f', resolve(root, 'crds')])
  await world.kubectl([
    'wait',
    '--for=condition=Established',
    '--timeout=60s',
    'crd/actionsets.cr.kanister.io',
    'crd/runs.holdfast.dev',
  ])
  await world.kubectl(['create', 'namespace', namespace])
  closers.push(() => world.kubectl(['delete', 'namespace', namespace, '--wait=false']))
  const image = await world.image('debian')
  const containers = [{ name: 'main', image, command: ['sleep', '100000'] }]
  await apply(world, namespace, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'app' },
    spec: { terminationGracePeriodSeconds: 0, containers },
  })
  await kube.pods.waitReady({ namespace, name: 'app' }, { timeoutMs: 60_000 })
  const phases = [{ func: 'KubeExec', name: 'p', args: { namespace, pod: 'app', container: 'main', command: ['true'] } }]
  const blueprint = {
    apiVersion: 'cr.kanister.io/v1alpha1',
    kind: 'Blueprint',
    metadata: { name: 'bp', namespace },
    actions: { go: { phases } },
  }
  // One watch for all: the bench itself should cost the API server little.
  const informer = kube.informer(ownKinds.actionSets, { namespace })
  informer.onChange((_key, found) => {
    const entry = waiting.get(found?.metadata.name ?? '')
    if (found?.status?.state === 'complete') entry?.end()
    if (found?.status?.state === 'failed') entry?.fail(new Error(found.status.error?.message))
  })
  await informer.synced
  closers.push(() => informer.close())
  await kube.resource(ownKinds.blueprints).create(blueprint as unknown as Blueprint)
}

/** The same wrapped command without the engine, 16 at a time. */
async function bareRate(): Promise<{ readonly execsPerSecond: number; readonly execMs: number }> {
  const one = async (): Promise<void> => {
    const { result, stdout } = await kube.exec.stream({ namespace, pod: 'app', container: 'main' }, ['true'], {
      timeoutMs: 30_000,
    })
    stdout.resume()
    await result
  }
  await one()
  const times: number[] = []
  for (let index = 0; index < 10; index++) times.push(await timed(one))
  const started = performance.now()
  await mapBounded(Array.from({ length: count }), 16, one)
  return { execsPerSecond: count / ((performance.now() - started) / 1000), execMs: median(times) }
}

async function startEngine(): Promise<void> {
  const env = {
    PATH: process.env['PATH'],
    KUBECONFIG: world.kubeconfig,
    POD_NAMESPACE: namespace,
    REDIS_URL: world.redisUrl,
    HOLDFAST_WORKER_NAME: 'bench',
    HEALTH_CHECK_PORT: '0',
  }
  const engine = spawn(process.execPath, [resolve(root, 'src/main/holdfast.ts'), 'run'], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let log = ''
  engine.stderr.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-100_000)))
  closers.push(async () => {
    const ended = once(engine, 'exit')
    engine.kill('SIGTERM')
    await ended
  })
  await waitFor('the engine', () => log.includes('"msg":"ready"'), { timeoutMs: 60_000 })
}

/** From sending the create to the answer of the watch that shows `complete`. */
async function singleLatency(): Promise<number[]> {
  const times: number[] = []
  for (let index = 0; index < singles; index++) times.push(await timed(() => runOne(`single-${index}`)))
  return times
}

async function manyAtOnce(): Promise<{ readonly allMs: number; readonly actionSetsPerSecond: number }> {
  const allMs = await timed(async () => {
    await Promise.all(Array.from({ length: count }, (_, index) => runOne(`many-${index}`)))
  })
  return { allMs, actionSetsPerSecond: count / (allMs / 1000) }
}

async function runOne(name: string): Promise<void> {
  const ended = new Promise<void>((end, fail) => waiting.set(name, { end, fail }))
  const actions = [{ name: 'go', blueprint: 'bp', object: { kind: 'Namespace', name: namespace, namespace } }]
  const actionSet = {
    apiVersion: 'cr.kanister.io/v1alpha1',
    kind: 'ActionSet',
    metadata: { name, namespace },
    spec: { actions },
  }
  await kube.resource(ownKinds.actionSets).create(actionSet as unknown as ActionSet)
  await ended
}

async function timed(work: () => Promise<void>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}
