import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { kubeExecAll } from '../../../src/functions/kube-exec-all.ts'
import { kubeOps } from '../../../src/functions/kube-ops.ts'
import { locationDelete } from '../../../src/functions/location-delete.ts'
import { multiContainerRun } from '../../../src/functions/multi-container-run.ts'
import { prepareData } from '../../../src/functions/prepare-data.ts'
import { wait } from '../../../src/functions/wait.ts'
import { waitV2 } from '../../../src/functions/wait-v2.ts'
import { kinds } from '../../../src/kube/kinds.ts'
import { openStore } from '../../../src/store/location.ts'
import { pushObject } from '../../../src/store/plain-object.ts'
import { aFunctionContext, type ContextParts, type RecordedContext, runFunction } from '../../build/function-context.ts'
import { apply, type KubeObject } from '../../harness/world/objects.ts'
import { useDataWorld } from './data-world.ts'

const data = useDataWorld()
const { world, namespace } = data
let image: string

beforeAll(async () => {
  image = data.images().gnu
  const pod = (name: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: ['one', 'two'].map((container) => ({ name: container, image, command: ['sleep', '100000'] })),
    },
  })
  await apply(world(), namespace, pod('a'), pod('b'))
  for (const name of ['a', 'b']) await data.kube().pods.waitReady({ namespace, name }, { timeoutMs: 60_000 })
})

function context(parts: Partial<ContextParts> = {}): RecordedContext {
  return aFunctionContext({
    kube: data.kube(),
    profile: data.profile(),
    ...parts,
    run: { actionSetUid: randomUUID(), ...parts.run },
    engine: { namespace, serviceAccount: 'default' },
  })
}

async function podsOf({ ctx }: RecordedContext): Promise<string[]> {
  const labelSelector = `holdfast.dev/actionset-uid=${ctx.run.actionSetUid}`
  return (await data.kube().resource(kinds.pods).list({ namespace, labelSelector })).items.map(({ metadata }) => metadata.name)
}

const marker = (key: string, value: string): string => `echo '###Phase-output###: {"key":"${key}","value":"${value}"}'`

test('LocationDelete removes the pushed object, its manifest and what is below it, and no neighbour', async () => {
  await using store = openStore(data.profile())
  const keys = ['below/dump', 'below/dump-2', 'below/tree/part', 'below/tree-2/part']
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('x')
  }
  for (const key of keys) await pushObject(store, key, body())
  const left = async (start: string): Promise<string[]> => {
    const found: string[] = []
    for await (const { key } of store.list(start)) found.push(key)
    return found.sort()
  }
  const neighbours = [...(await left('below/dump-2')), ...(await left('below/tree-2'))]

  await runFunction(locationDelete, context({ store }).ctx, { artifact: 'dump' })
  await runFunction(locationDelete, context({ store }).ctx, { artifact: `${data.bucket}/tree/` })

  expect(await left('below/')).toEqual(neighbours)
  expect(neighbours).toHaveLength(4)
})

test('KubeExecAll runs in every container of every pod', async () => {
  const recorded = context()
  const script = `echo on $(hostname); printf '###Phase-output###: {"key":"%s","value":"yes"}\\n' "$(hostname)"`

  const outputs = await runFunction(kubeExecAll, recorded.ctx, {
    namespace,
    pods: 'a b',
    containers: 'one two',
    command: ['sh', '-c', script],
  })

  expect(outputs).toEqual({ a: 'yes', b: 'yes' })
  expect(recorded.lines.filter((line) => line.startsWith('on ')).sort()).toEqual(['on a', 'on a', 'on b', 'on b'])
})

describe('KubeOps and Wait', () => {
  const deployment = (): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: made}
spec:
  replicas: 1
  selector: {matchLabels: {app: made}}
  template:
    metadata: {labels: {app: made}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: main, image: "${image}", command: [sleep, "100000"]}]
---
apiVersion: v1
kind: ConfigMap
metadata: {generateName: made-}
`
  const reference = {
    apiVersion: 'v1',
    group: 'apps',
    resource: 'deployments',
    name: 'made',
    namespace: '{{ .Options.where }}',
  }

  test('what is created becomes ready, is patched, is deleted and gone', async () => {
    const params = { Options: { where: namespace } }
    const ready = '{{ if eq "{ $.status.availableReplicas }" "1" }}true{{ end }}'
    const patched = '{{ eq .metadata.labels.patched "yes" }}'
    const plain = { ...reference, namespace }

    const created = await runFunction(kubeOps, context().ctx, { operation: 'create', namespace, spec: deployment() })
    await runFunction(wait, context({ params }).ctx, {
      timeout: '180s',
      conditions: { allOf: [{ condition: ready, objectReference: reference }] },
    })
    await runFunction(kubeOps, context().ctx, {
      operation: 'patch',
      objectReference: plain,
      spec: 'metadata: {labels: {patched: "yes"}}',
    })
    await runFunction(waitV2, context({ params }).ctx, {
      timeout: '60s',
      conditions: { anyOf: [{ condition: patched, objectReference: reference }] },
    })
    const deleted = await runFunction(kubeOps, context().ctx, { operation: 'delete', objectReference: plain })

    expect(created).toMatchObject({ apiVersion: 'v1', group: '', resource: 'configmaps', kind: '', namespace })
    expect(created?.['name']).toMatch(/^made-/)
    expect(deleted).toEqual({ apiVersion: 'v1', group: 'apps', resource: 'deployments', kind: '', name: 'made', namespace })
    expect(await data.kube().resource(kinds.deployments).find({ namespace, name: 'made' })).toBeUndefined()
  })

  test('cluster-wide and custom objects can be made, patched and deleted', async () => {
    const id = randomUUID().slice(0, 8)
    const crd = {
      apiVersion: 'v1',
      group: 'apiextensions.k8s.io',
      resource: 'customresourcedefinitions',
      name: `t${id}s.test.holdfast.dev`,
    }
    const spec = JSON.stringify({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: crd.name },
      spec: {
        group: 'test.holdfast.dev',
        scope: 'Namespaced',
        names: { plural: `t${id}s`, singular: `t${id}`, kind: `T${id}`, listKind: `T${id}List` },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        ],
      },
    })
    const established = '{{ range .status.conditions }}{{ if eq .type "Established" }}{{ eq .status "True" }}{{ end }}{{ end }}'
    const thing = { apiVersion: 'v1', group: 'test.holdfast.dev', resource: `t${id}s`, name: 'x', namespace }

    await runFunction(kubeOps, context().ctx, { operation: 'create', spec })
    await runFunction(waitV2, context().ctx, {
      timeout: '60s',
      conditions: { anyOf: [{ condition: established, objectReference: crd }] },
    })
    const custom = `{apiVersion: test.holdfast.dev/v1, kind: T${id}, metadata: {name: x}, spec: {a: 1}}`
    await runFunction(kubeOps, context().ctx, { operation: 'create', namespace, spec: custom })
    await runFunction(kubeOps, context().ctx, { operation: 'patch', objectReference: thing, spec: 'spec: {b: 2}' })
    const live = await data.kube().resource({ group: thing.group, version: 'v1', resource: thing.resource }).get(thing)
    await runFunction(kubeOps, context().ctx, { operation: 'delete', objectReference: thing })
    const gone = await runFunction(kubeOps, context().ctx, { operation: 'delete', objectReference: crd })

    expect(live['spec']).toEqual({ a: 1, b: 2 })
    expect(gone).toEqual({ ...crd, kind: '' })
  })
})

describe('PrepareData', () => {
  const command = (exitCode: number): string[] => ['sh', '-c', `echo working; ${marker('a', '1')}; exit ${exitCode}`]
  const args = { namespace, volumes: {} }
  const params = { StatefulSet: { Name: 's', Namespace: namespace, PersistentVolumeClaims: { p: { scratch: '/data' } } } }

  beforeAll(async () => {
    await apply(world(), namespace, {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'scratch' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } },
    })
  })

  test('has the claims of the workload at their default place', async () => {
    const recorded = context({ params: params as never })
    const touch = ['sh', '-c', 'echo x > /mnt/prepare_data/scratch/file && ls /mnt/prepare_data']

    const outputs = await runFunction(prepareData, recorded.ctx, { ...args, image, command: touch })

    expect(outputs).toBeUndefined()
    expect(recorded.lines).toEqual(['scratch'])
    expect(await podsOf(recorded)).toEqual([])
  })

  test('an error is a warning, and a failure only when asked for', async () => {
    const kind = context({ params: params as never })
    const strict = context({ params: params as never })

    const outputs = await runFunction(prepareData, kind.ctx, { ...args, image, command: command(3) })
    const failure = runFunction(prepareData, strict.ctx, { ...args, image, command: command(3), failOnError: 'True' })

    await expect(failure).rejects.toThrow(/command terminated with exit code 3[^]*working/)
    expect(outputs).toEqual({ a: '1' })
    expect(kind.warnings).toEqual([expect.stringContaining('exit code 3')])
  })
})

describe('MultiContainerRun', () => {
  const shared = { namespace, initCommand: ['mkfifo', '/tmp/data'] }
  const sh = (script: string): string[] => ['sh', '-c', script]

  test('hands the stream of one container to the other, and leaves no pod', async () => {
    const recorded = context()

    const outputs = await runFunction(multiContainerRun, recorded.ctx, {
      ...shared,
      initImage: image,
      backgroundImage: image,
      backgroundCommand: sh('seq 1 100000 > /tmp/data'),
      outputImage: image,
      outputCommand: sh(`wc -l < /tmp/data; ${marker('done', 'yes')}`),
    })

    expect(outputs).toEqual({ done: 'yes' })
    expect(recorded.lines).toContain('100000')
    expect(await podsOf(recorded)).toEqual([])
  })

  test('a background that fails ends a waiting output at once and is named; a cut stream is no success', async () => {
    const waiting = context()
    const cut = context()
    const images = { ...shared, initImage: image, backgroundImage: image, outputImage: image }

    const never = runFunction(multiContainerRun, waiting.ctx, {
      ...images,
      backgroundCommand: sh('echo no database >&2; exit 5'),
      outputCommand: sh('cat /tmp/data'),
    })
    await expect(never).rejects.toThrow(/"background" terminated with exit code 5[^]*no database/)
    const half = runFunction(multiContainerRun, cut.ctx, {
      ...images,
      backgroundCommand: sh('(echo half) > /tmp/data; sleep 1; exit 6'),
      outputCommand: sh('cat /tmp/data'),
    })

    await expect(half).rejects.toThrow(/"background" terminated with exit code 6/)
    expect([...(await podsOf(waiting)), ...(await podsOf(cut))]).toEqual([])
  })

  test('an init that fails is named with what it said', async () => {
    const recorded = context()

    const failure = runFunction(multiContainerRun, recorded.ctx, {
      ...shared,
      initImage: image,
      initCommand: sh('echo cannot >&2; exit 7'),
      backgroundImage: image,
      backgroundCommand: ['true'],
      outputImage: image,
      outputCommand: ['true'],
    })

    await expect(failure).rejects.toThrow(/"init" terminated with exit code 7[^]*cannot/)
    expect(await podsOf(recorded)).toEqual([])
  })
})
