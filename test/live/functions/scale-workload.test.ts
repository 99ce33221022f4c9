import { beforeAll, expect, test } from 'vitest'
import { scaleWorkload } from '../../../src/functions/scale-workload.ts'
import { kinds } from '../../../src/kube/kinds.ts'
import type { Kube } from '../../../src/kube/kube.ts'
import { openKube } from '../../../src/kube/open.ts'
import { aFunctionContext, type ContextParts, runFunction } from '../../build/function-context.ts'
import { useNamespace, useWorld } from '../../harness/world/fixtures.ts'
import { apply, waitRolledOut } from '../../harness/world/objects.ts'

const world = useWorld()
const namespace = useNamespace(world)
let kube: Kube

beforeAll(async () => {
  kube = await openKube({ env: {}, kubeconfig: world().kubeconfig })
  const image = await world().image('debian')
  const template = {
    metadata: { labels: { app: 'db' } },
    spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'main', image, command: ['sleep', '100000'] }] },
  }
  const spec = { replicas: 3, selector: { matchLabels: { app: 'db' } }, template }
  await apply(
    world(),
    namespace,
    { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'db' }, spec: { ...spec, serviceName: 'db' } },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: 'web' } },
        template: { ...template, metadata: { labels: { app: 'web' } } },
      },
    },
  )
  await waitRolledOut(world(), namespace, 'statefulset/db')
  await waitRolledOut(world(), namespace, 'deployment/web')
})

const context = (parts: Partial<ContextParts> = {}): ReturnType<typeof aFunctionContext> =>
  aFunctionContext({ kube, params: { StatefulSet: { Name: 'db', Namespace: namespace } }, ...parts })

async function runningPods(app: string): Promise<string[]> {
  const { items } = await kube.resource(kinds.pods).list({ namespace, labelSelector: `app=${app}` })
  return items.map(({ metadata }) => metadata.name)
}

test('a StatefulSet of 3 goes down to none and back; the count before is written down before anything changes', async () => {
  const down = context({
    onCheckpoint: async () => {
      const { spec } = await kube.resource(kinds.statefulSets).get({ namespace, name: 'db' })
      expect(spec?.replicas).toBe(3)
    },
  })

  const first = await runFunction(scaleWorkload, down.ctx, { replicas: 0 })
  const podsThen = await runningPods('db')
  const resumed = await runFunction(scaleWorkload, context({ resumed: down.checkpoints.at(-1) }).ctx, { replicas: 0 })
  const back = await runFunction(scaleWorkload, context().ctx, { replicas: String(resumed?.['originalReplicaCount']) })

  expect(first).toEqual({ originalReplicaCount: 3, scaledReplicaCount: 0 })
  expect(down.checkpoints).toEqual([{ originalReplicaCount: 3 }])
  expect(podsThen).toEqual([])
  expect(resumed).toEqual(first)
  expect(back).toEqual({ originalReplicaCount: 0, scaledReplicaCount: 3 })
  expect(await runningPods('db')).toEqual(['db-0', 'db-1', 'db-2'])
})

test('a Deployment by name, its kind in any case', async () => {
  const args = { namespace, name: 'web', kind: 'DEPLOYMENT' }

  const outputs = await runFunction(scaleWorkload, context().ctx, { ...args, replicas: 2 })

  expect(outputs).toEqual({ originalReplicaCount: 1, scaledReplicaCount: 2 })
  expect(await runningPods('web')).toHaveLength(2)
})

test('bad numbers, unknown kinds and absent workloads are named', async () => {
  const args = { namespace, name: 'db', kind: 'StatefulSet' }
  const run = (given: object): Promise<unknown> => runFunction(scaleWorkload, context().ctx, { ...args, ...given })

  for (const replicas of ['1.0', '', -1, 1.5, '3 ', '4294967296']) {
    await expect(run({ replicas })).rejects.toThrow(/replicas must be a whole number/)
  }
  await expect(run({ replicas: 1, kind: 'Pod' })).rejects.toThrow(/Workload type not supported|Pod/)
  await expect(run({ replicas: 1, name: 'none' })).rejects.toThrow(/statefulsets.apps "none" not found/)
  await expect(runFunction(scaleWorkload, context({ params: {} }).ctx, { replicas: 1 })).rejects.toThrow(/must all be given/)
})
