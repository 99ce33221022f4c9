import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { ActionSpec } from '../../../src/api/actionset.ts'
import type { BlueprintAction } from '../../../src/api/blueprint.ts'
import { kinds, type Pod } from '../../../src/kube/kinds.ts'
import type { Live } from '../../../src/kube/objects.ts'
import { S3Store } from '../../../src/store/s3.ts'
import { keysBelow } from '../../conformance/object-store.ts'
import { ensureEngineImage } from '../../harness/images/engine-image.ts'
import { harnessFolders } from '../../harness/machine/folders.ts'
import { useTestBuckets } from '../../harness/s3/test-buckets.ts'
import { apply } from '../../harness/world/objects.ts'
import { waitFor } from '../../harness/world/wait-for.ts'
import { type Holdfast, type Part, useInstallation } from './installation.ts'

const installation = useInstallation()
const { namespace, world, kube } = installation
const buckets = useTestBuckets(world)
const running: Holdfast[] = []
let image = ''
let store: S3Store

/** A takeover takes some ten seconds; the machine may be busy. */
const slow = { timeoutMs: 120_000 }

beforeAll(async () => {
  image = (await ensureEngineImage(harnessFolders())).name
  const settings = await buckets.create()
  store = new S3Store(settings)
  const { accessKey, secretKey, podEndpoint, region } = world().s3
  const secret = { apiVersion: 'v1', kind: 'Secret', name: 'key', namespace }
  const key = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'key' }, stringData: { id: accessKey, secret: secretKey } }
  await apply(world(), namespace, key, {
    apiVersion: 'cr.kanister.io/v1alpha1',
    kind: 'Profile',
    metadata: { name: 'profile' },
    location: { type: 's3Compliant', bucket: settings.bucket, endpoint: podEndpoint, region, prefix: 'team' },
    credential: { type: 'keyPair', keyPair: { idField: 'id', secretField: 'secret', secret } },
  })
}, 15 * 60_000)

afterEach(async () => {
  for (const process of running) process.signal('SIGCONT')
  await Promise.all(running.splice(0).map((process) => process.kill()))
})

async function start(part: Part, name: string): Promise<Holdfast> {
  const process = await installation.start(part, name)
  running.push(process)
  return process
}

function action(name: string): ActionSpec {
  const object = { kind: 'Namespace', name: namespace, namespace }
  return { name, blueprint: 'bp', object, profile: { name: 'profile', namespace } }
}

/** Stops the worker that runs the action and waits until another one has it. */
async function takenOver(sleeper: Holdfast): Promise<void> {
  sleeper.signal('SIGSTOP')
  const owner = async (): Promise<string | undefined> =>
    (await installation.runOf(await installation.read())).status.actions['0']?.fence.owner
  await waitFor('the other worker to take over', async () => (await owner())?.startsWith('b') === true, slow)
}

async function awake(sleeper: Holdfast): Promise<void> {
  sleeper.signal('SIGCONT')
  await waitFor('the sleeper to notice', () => sleeper.log().includes('"outcome":"lost"'), slow)
}

describe('a worker that slept while another took its backup over', () => {
  test('commits neither artifact nor record, whatever it still puts into the bucket', async () => {
    await start('operator', 'op')
    const sleeper = await start('worker', 'a')
    await installation.blueprint({ backup: streamed('/tmp/stream') })
    await installation.create([action('backup')])
    const dumps = async (): Promise<number> => (await installation.fileInPod('/tmp/stream')).split('dump').length - 1
    await waitFor('the dump', async () => (await dumps()) === 1, slow)
    await start('worker', 'b')

    await takenOver(sleeper)
    await waitFor('the second dump', async () => (await dumps()) === 2, slow)
    await openGate('/tmp/stream')
    const before = await installation.ended('complete', 'as', slow.timeoutMs)
    const run = await installation.runOf(before)
    const records = await keysOf('/records/')
    const kept = await Promise.all(records.map((key) => store.get(key)))
    await awake(sleeper)

    expect((await installation.read()).status).toEqual(before.status)
    expect((await installation.runOf(before)).status).toEqual(run.status)
    expect(await keysOf('/records/')).toEqual(records)
    expect(await Promise.all(records.map((key) => store.get(key)))).toEqual(kept)
    expect(records).toHaveLength(1)
    const snapshot = before.status?.actions?.[0]?.artifacts?.['dump']?.keyValue?.['snapshot']
    expect(await keysOf('/snapshots/')).toContainEqual(expect.stringContaining(snapshot ?? '?'))
  })
})

describe('a push to a path of the user', () => {
  test('is done by one pod, which the worker that takes over adopts', async () => {
    await start('operator', 'op')
    const sleeper = await start('worker', 'a')
    await installation.blueprint({ backup: pushed() })
    const seen = watchPods()
    await installation.create([action('backup')])
    await waitFor('the pod', () => isRunning(seen.pods()[0]), slow)
    await start('worker', 'b')

    await takenOver(sleeper)
    await letGo(seen.pods()[0])
    const before = await installation.ended('complete', 'as', slow.timeoutMs)
    await awake(sleeper)
    await seen.close()

    expect(seen.pods()).toHaveLength(1)
    expect(await pushedBy()).toBe(`${seen.pods()[0]?.metadata.name}\n`)
    expect((await installation.read()).status).toEqual(before.status)
  })

  test('that is restarted finds the pod of the earlier attempt gone', async () => {
    await start('operator', 'op')
    const sleeper = await start('worker', 'a')
    await installation.blueprint({ backup: pushed({ resume: 'restart' }) })
    const seen = watchPods()
    await installation.create([action('backup')])
    await waitFor('the pod', () => isRunning(seen.pods()[0]), slow)
    await start('worker', 'b')

    await takenOver(sleeper)
    await waitFor('the second pod', () => isRunning(seen.pods()[1]), slow)
    await letGo(seen.pods()[1])
    const before = await installation.ended('complete', 'as', slow.timeoutMs)
    await awake(sleeper)
    await waitFor('both pods to be gone', () => seen.story().filter((what) => what === 'gone').length === 2, slow)
    await seen.close()

    expect(seen.story()).toEqual(['made', 'gone', 'made', 'gone'])
    expect(await pushedBy()).toBe(`${seen.pods()[1]?.metadata.name}\n`)
    expect((await installation.read()).status).toEqual(before.status)
  })
})

function streamed(file: string): BlueprintAction {
  const output = (field: string): string => `{{ .Phases.dump.Output.${field} }}`
  const gate = `until [ -e ${file}.go ]; do sleep 0.1; done`
  const dump = `echo dump >>${file}; head -c 20000000 /dev/urandom; ${gate}; head -c 10000000 /dev/urandom`
  return {
    outputArtifacts: { dump: { keyValue: { snapshot: output('snapshotID'), sha256: output('sha256') } } },
    phases: [{ func: 'BackupStream', name: 'dump', args: { namespace, pod: 'app', command: ['sh', '-ec', dump] } }],
  } as BlueprintAction
}

/** What is pushed is the name of the pod that did it, when it is let go. */
function pushed(more: object = {}): BlueprintAction {
  const push = `kando location push --profile '{{ toJson .Profile }}' --path pushed -`
  const script = `(until [ -e /tmp/go ]; do sleep 0.1; done; hostname) | ${push}; kando output path pushed`
  return {
    outputArtifacts: { pushed: { keyValue: { path: '{{ .Phases.push.Output.path }}' } } },
    phases: [{ func: 'KubeTask', name: 'push', ...more, args: { image, namespace, command: ['sh', '-ec', script] } }],
  } as BlueprintAction
}

async function openGate(file: string): Promise<void> {
  await kube().exec.capture({ namespace, pod: 'app' }, ['touch', `${file}.go`])
}

async function letGo(pod: Live<Pod> | undefined): Promise<void> {
  await kube().exec.capture({ namespace, pod: pod?.metadata.name ?? '', container: 'container' }, ['touch', '/tmp/go'])
}

function isRunning(pod: Live<Pod> | undefined): boolean {
  return pod?.status?.containerStatuses?.[0]?.state?.running !== undefined
}

interface SeenPods {
  /** Those that ever were, in the order of their making, as they were last seen. */
  pods(): readonly Live<Pod>[]
  /** When one came and one went. */
  story(): readonly string[]
  close(): Promise<void>
}

function watchPods(): SeenPods {
  const pods = new Map<string, Live<Pod>>()
  const story: string[] = []
  const informer = kube().informer(kinds.pods, { namespace, labelSelector: 'createdBy=kanister' })
  informer.onChange((_key, pod, before) => {
    if (pod && !pods.has(pod.metadata.uid)) story.push('made')
    if (pod) pods.set(pod.metadata.uid, pod)
    else if (before) story.push('gone')
  })
  return { pods: () => [...pods.values()], story: () => story, close: () => informer.close() }
}

async function pushedBy(): Promise<string> {
  return Buffer.from(await store.get('team/pushed')).toString()
}

async function keysOf(part: string): Promise<string[]> {
  return (await keysBelow(store, 'team/')).filter((key) => key.includes(part)).sort()
}
