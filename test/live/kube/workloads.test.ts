import { beforeAll, describe, expect, it } from 'vitest'
import { kinds } from '../../../src/kube/kinds.ts'
import type { Unstructured } from '../../../src/kube/objects.ts'
import { useNamespace, useWorld } from '../../harness/world/fixtures.ts'
import { useKube } from './kube-fixture.ts'

const world = useWorld()
const namespace = useNamespace(world)
const kube = useKube(world)

async function create(kind: 'StatefulSet' | 'Deployment', name: string, replicas: number, extra: object = {}): Promise<void> {
  const image = await world().image('debian')
  const mounts = [
    { name: 'data', mountPath: '/data' },
    { name: 'shared', mountPath: '/shared' },
  ]
  const container = {
    name: 'main',
    image,
    imagePullPolicy: 'IfNotPresent',
    command: ['sleep', 'infinity'],
    volumeMounts: kind === 'StatefulSet' ? mounts : [],
  }
  const volumes = kind === 'StatefulSet' ? [{ name: 'shared', persistentVolumeClaim: { claimName: 'plain' } }] : []
  const labels = { app: name }
  const def = kind === 'StatefulSet' ? kinds.statefulSets : kinds.deployments
  const object = {
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 0, containers: [container], volumes } },
      ...extra,
    },
  }
  await kube()
    .resource<Unstructured>({ ...def, objectType: undefined as never })
    .create(object)
}

function claim(name: string): object {
  return { metadata: { name }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } } }
}

beforeAll(async () => {
  const plain = { ...claim('plain'), metadata: { name: 'plain', namespace } }
  await kube().resource(kinds.persistentVolumeClaims).create(plain)
  await create('StatefulSet', 'db', 2, {
    serviceName: 'db',
    podManagementPolicy: 'Parallel',
    volumeClaimTemplates: [claim('data')],
  })
  await create('Deployment', 'web', 1)
})

describe('workloads on a real cluster', () => {
  it('of kind StatefulSet tell their pods, containers and real claim names', async () => {
    await kube().workloads.scale({ kind: 'StatefulSet', namespace, name: 'db' }, 2)

    const facts = await kube().workloads.describe({ kind: 'STATEFULSET', namespace, name: 'db' })

    expect(facts).toMatchObject({
      kind: 'statefulset',
      pods: ['db-0', 'db-1'],
      containers: [['main'], ['main']],
      persistentVolumeClaims: {
        'db-0': { 'data-db-0': '/data', plain: '/shared' },
        'db-1': { 'data-db-1': '/data', plain: '/shared' },
      },
    })
    expect(facts.object.kind).toBe('StatefulSet')
  })

  it('are scaled to zero and back; the count before is told before anything changes', async () => {
    const ref = { kind: 'StatefulSet', namespace, name: 'db' }
    const seen: number[] = []
    const beforeChange = async (previous: number): Promise<void> => {
      seen.push(previous, (await kube().workloads.podsOf(ref)).length)
    }

    const { previous } = await kube().workloads.scale(ref, 0, { beforeChange })

    expect(seen).toEqual([2, 2])
    expect(await kube().workloads.podsOf(ref)).toEqual([])
    await kube().workloads.scale(ref, previous)
    expect((await kube().workloads.describe(ref)).pods).toEqual(['db-0', 'db-1'])
  })

  it('of kind Deployment tell the pods of their current revision', async () => {
    const ref = { kind: 'Deployment', namespace, name: 'web' }
    await kube().workloads.scale(ref, 2)

    const { pods, containers, persistentVolumeClaims } = await kube().workloads.describe(ref)

    expect(pods).toHaveLength(2)
    expect(containers).toEqual([['main'], ['main']])
    expect(persistentVolumeClaims).toEqual({})
    expect(await kube().workloads.scale(ref, 1)).toEqual({ previous: 2 })
  })

  it('that cannot reach their count time out with the reason', async () => {
    await create('Deployment', 'stuck', 0)
    const patch = { spec: { template: { spec: { nodeSelector: { 'no.such/label': 'x' } } } } }
    await kube().resource(kinds.deployments).patch({ namespace, name: 'stuck' }, patch, { type: 'strategic' })

    await expect(
      kube().workloads.scale({ kind: 'Deployment', namespace, name: 'stuck' }, 1, { timeoutMs: 15_000 }),
    ).rejects.toMatchObject({
      code: 'KUBE_SCALE_TIMEOUT',
      message: expect.stringMatching(/did not reach 1 replicas within 15 s.*Unschedulable/) as string,
    })
  })

  it('that are absent or of another kind are named', async () => {
    await expect(kube().workloads.describe({ kind: 'StatefulSet', namespace, name: 'x' })).rejects.toMatchObject({
      code: 'KUBE_NOT_FOUND',
      message: 'statefulsets.apps "x" not found',
    })
    await expect(kube().workloads.scale({ kind: 'DaemonSet', namespace, name: 'x' }, 1)).rejects.toMatchObject({
      code: 'KUBE_WORKLOAD',
      message: expect.stringContaining('Workload type not supported DaemonSet') as string,
    })
  })
})
