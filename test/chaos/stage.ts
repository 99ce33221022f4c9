import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { CreateBucketCommand } from '@aws-sdk/client-s3'
import type { Blueprint } from '../../src/api/blueprint.ts'
import type { Kube } from '../../src/kube/kube.ts'
import { openKube } from '../../src/kube/open.ts'
import { ownKinds } from '../../src/kube/own-kinds.ts'
import { bundleEngine } from '../../deploy/build.ts'
import { ensureEngineImage } from '../harness/images/engine-image.ts'
import { harnessFolders } from '../harness/machine/folders.ts'
import { removeBucket } from '../harness/world/bucket.ts'
import { withS3 } from '../harness/world/fixtures.ts'
import { apply } from '../harness/world/objects.ts'
import { openWorld, type World } from '../harness/world/world.ts'
import { EngineProcess } from './engine-process.ts'
import { actions } from './workload.ts'

/** Everything a run of chaos needs, of its own: namespace, bucket, application, two workers and an operator. */
export interface Stage {
  readonly world: World
  readonly kube: Kube
  readonly namespace: string
  readonly bucket: string
  readonly operator: EngineProcess
  readonly workers: readonly EngineProcess[]
  readonly image: string
  readonly logFolder: string
  close(): Promise<void>
}

const crds = ['actionsets.cr.kanister.io', 'blueprints.cr.kanister.io', 'profiles.cr.kanister.io', 'runs.holdfast.dev']

export async function setStage(): Promise<Stage> {
  const world = await openWorld()
  const kube = await openKube({ env: {}, kubeconfig: world.kubeconfig })
  const namespace = `chaos-${randomBytes(3).toString('hex')}`
  const bucket = namespace
  const logFolder = join(tmpdir(), `holdfast-${namespace}`)
  await world.kubectl(['apply', '--server-side', '--force-conflicts', '-f', resolve(import.meta.dirname, '../../crds')])
  await world.kubectl(['wait', '--for=condition=Established', '--timeout=60s', ...crds.map((name) => `crd/${name}`)])
  await world.kubectl(['create', 'namespace', namespace])
  await withS3(world.s3, (client) => client.send(new CreateBucketCommand({ Bucket: bucket })))
  const image = (await ensureEngineImage(harnessFolders())).name
  await apply(world, namespace, ...application(await world.image('debian')), ...profile(world, namespace, bucket))
  await world.kubectl(['rollout', 'status', '-n', namespace, 'statefulset/app', '--timeout=120s'])
  await world.kubectl(['rollout', 'status', '-n', namespace, 'deployment/scaled', '--timeout=120s'])
  await kube.resource(ownKinds.blueprints).create({
    apiVersion: 'cr.kanister.io/v1alpha1',
    kind: 'Blueprint',
    metadata: { name: 'chaos', namespace },
    actions: actions(image),
  } as unknown as Blueprint)
  const env = { KUBECONFIG: world.kubeconfig, POD_NAMESPACE: namespace, REDIS_URL: world.redisUrl, HOLDFAST_IMAGE: image }
  const program = join(logFolder, 'app/holdfast.js')
  const engine = (part: 'operator' | 'worker', name: string): EngineProcess =>
    new EngineProcess({ program, part, name, env, logFolder })
  const operator = engine('operator', 'chaos-operator')
  const workers = [engine('worker', 'chaos-w-0'), engine('worker', 'chaos-w-1')]
  const all = [operator, ...workers]
  // A bundle of its own: what is built in the checkout may be built anew meanwhile.
  await bundleEngine(join(logFolder, 'app'))
  for (const each of all) each.start()
  await Promise.all(all.map((each) => each.ready()))
  const close = async (): Promise<void> => {
    await Promise.all(all.map((each) => each.kill()))
    await kube.close()
    await world.kubectl(['delete', 'namespace', namespace, '--wait=false'])
    await withS3(world.s3, (client) => removeBucket(client, bucket))
  }
  return { world, kube, namespace, bucket, operator, workers, image, logFolder, close }
}

/** `app-0` has a shell and a folder that outlives it; `scaled` has replicas to lose. */
function application(image: string): Parameters<typeof apply>[2][] {
  const shell = (claim: boolean): object => ({
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: 'main',
        image,
        imagePullPolicy: 'IfNotPresent',
        command: ['sleep', 'infinity'],
        ...(claim ? { volumeMounts: [{ name: 'data', mountPath: '/data' }] } : {}),
      },
    ],
  })
  const workload = (kind: string, name: string, replicas: number, more: object, spec: object): Parameters<typeof apply>[2] => ({
    apiVersion: 'apps/v1',
    kind,
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec },
      ...more,
    },
  })
  const claim = {
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  }
  return [
    workload('StatefulSet', 'app', 1, { serviceName: 'app', volumeClaimTemplates: [claim] }, shell(true)),
    workload('Deployment', 'scaled', 2, {}, shell(false)),
  ]
}

function profile(world: World, namespace: string, bucket: string): Parameters<typeof apply>[2][] {
  const { accessKey, secretKey, podEndpoint, region } = world.s3
  const secret = { apiVersion: 'v1', kind: 'Secret', name: 'key', namespace }
  return [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'key' },
      stringData: { aws_access_key_id: accessKey, aws_secret_access_key: secretKey },
    },
    {
      apiVersion: 'cr.kanister.io/v1alpha1',
      kind: 'Profile',
      metadata: { name: 'profile' },
      location: { type: 's3Compliant', bucket, endpoint: podEndpoint, region },
      credential: {
        type: 'keyPair',
        keyPair: { idField: 'aws_access_key_id', secretField: 'aws_secret_access_key', secret },
      },
    },
  ]
}
