import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import type { ActionSet } from '../../../src/api/actionset.ts'
import type { Blueprint } from '../../../src/api/blueprint.ts'
import { Semaphore } from '../../../src/base/semaphore.ts'
import type { Kube } from '../../../src/kube/kube.ts'
import type { Live } from '../../../src/kube/objects.ts'
import { openKube } from '../../../src/kube/open.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'
import { apply } from '../../harness/world/objects.ts'
import type { World } from '../../harness/world/world.ts'

const root = resolve(import.meta.dirname, '../../..')

/** A namespace with one pod, a Blueprint whose actions exec in it, and one watch that says when an ActionSet has ended. */
export interface Place {
  readonly world: World
  readonly kube: Kube
  readonly namespace: string
  /** From sending the create to the event of the watch that shows it `complete`, in ms. Rejects when it fails. */
  run(name: string, action?: keyof typeof commands): Promise<number>
  /** The command of action `true` without the engine: in the wrapper that KubeExec uses, by the same client. */
  bareExec(): Promise<void>
  find(name: string): Promise<Live<ActionSet>>
  close(): Promise<void>
}

export const outputMarker = '###Phase-output###: {"key":"found","value":"yes"}'

const commands = {
  true: ['true'],
  output: ['sh', '-c', `yes "$(printf %0200d 7)" | head -c 200000000; echo; echo '${outputMarker}'`],
} as const

/** Only what the bench runs itself carries it, so that its watch does not see the finished ones beside them. */
const ours = { 'bench.holdfast.dev/live': 'true' }

export async function openPlace(world: World): Promise<Place> {
  const namespace = `bench-${randomBytes(3).toString('hex')}`
  await prepare(world, namespace)
  const kube = await openKube({ env: {}, kubeconfig: world.kubeconfig })
  await kube.pods.waitReady({ namespace, name: 'app' }, { timeoutMs: 60_000 })
  await kube.resource(ownKinds.blueprints).create(blueprintIn(namespace))
  // As fast as the server takes them: a request that waits for a socket counts its time.
  const creating = new Semaphore(16)
  const ends = new Map<string, PromiseWithResolvers<void>>()
  const informer = kube.informer(ownKinds.actionSets, { namespace, labelSelector: Object.entries(ours)[0]?.join('=') ?? '' })
  informer.onChange((_key, found) => {
    const end = ends.get(found?.metadata.name ?? '')
    if (found?.status?.state === 'complete') end?.resolve()
    if (found?.status?.state === 'failed') end?.reject(new Error(found.status.error?.message))
  })
  await informer.synced
  const actionSets = kube.resource(ownKinds.actionSets)
  const target = { namespace, pod: 'app', container: 'main' }
  return {
    world,
    kube,
    namespace,
    async run(name, action = 'true') {
      const end = Promise.withResolvers<void>()
      ends.set(name, end)
      const started = performance.now()
      await creating.run(() => actionSets.create(actionSetIn(namespace, name, action)))
      await end.promise
      ends.delete(name)
      return performance.now() - started
    },
    async bareExec() {
      const name = `bench-${randomBytes(6).toString('hex')}`
      const kept = await kube.exec.keep(target, commands.true, { name, timeoutMs: 30_000 })
      await kept.release()
    },
    find: (name) => actionSets.get({ namespace, name }),
    async close() {
      await informer.close()
      await kube.close()
      await world.kubectl(['delete', 'namespace', namespace, '--wait=false'])
    },
  }
}

export function actionSetIn(namespace: string, name: string, action: string): ActionSet {
  const actions = [{ name: action, blueprint: 'bp', object: { kind: 'Namespace', name: namespace, namespace } }]
  // The server fills in the rest of the metadata.
  return {
    apiVersion: 'cr.kanister.io/v1alpha1',
    kind: 'ActionSet',
    metadata: { name, namespace, labels: ours },
    spec: { actions },
  } as unknown as ActionSet
}

async function prepare(world: World, namespace: string): Promise<void> {
  await world.kubectl(['apply', '--server-side', '--force-conflicts', '-f', resolve(root, 'crds')])
  const crds = ['crd/actionsets.cr.kanister.io', 'crd/runs.holdfast.dev']
  await world.kubectl(['wait', '--for=condition=Established', '--timeout=60s', ...crds])
  await world.kubectl(['create', 'namespace', namespace])
  const containers = [{ name: 'main', image: await world.image('debian'), command: ['sleep', '100000'] }]
  const spec = { terminationGracePeriodSeconds: 0, containers }
  await apply(world, namespace, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'app' }, spec })
}

function blueprintIn(namespace: string): Blueprint {
  const place = { namespace, pod: 'app', container: 'main' }
  const actions = Object.entries(commands).map(([name, command]) => [
    name,
    { phases: [{ func: 'KubeExec', name: 'p', args: { ...place, command } }] },
  ])
  const metadata = { name: 'bp', namespace }
  // The server fills in the rest of the metadata.
  return {
    apiVersion: 'cr.kanister.io/v1alpha1',
    kind: 'Blueprint',
    metadata,
    actions: Object.fromEntries(actions),
  } as unknown as Blueprint
}
