import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { useBucket, useNamespace, useWorld, withS3 } from '../harness/world/fixtures.ts'
import { useInstallation } from '../harness/world/installation.ts'
import { apply, findObject, type KubeObject } from '../harness/world/objects.ts'
import { useTraveller } from '../harness/world/round-trip.ts'

const world = useWorld()
const holdfast = useInstallation(world)
const app = useNamespace(world, 'app')
const bucket = useBucket(world)
const profile = `e2e-${bucket}`
const { install, roundTrip } = useTraveller(world, holdfast, { app, bucket, profile })

const group = 'psmdb.percona.com'
const definitions = ['', 'Backup', 'Restore'].map((word) => {
  const kind = `PerconaServerMongoDB${word}`
  const plural = `${kind.toLowerCase()}s`
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, plural },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  }
})

/** What whoever lets a Blueprint act on kinds of an operator gives the engine. */
const rights: KubeObject = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: `test-${bucket}`, labels: { 'holdfast.dev/aggregate-to-engine': 'true' } },
  rules: [{ apiGroups: [group], resources: ['*'], verbs: ['get', 'create', 'delete', 'patch'] }],
} as KubeObject

/** The database is this ConfigMap. */
const documents = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'documents' },
  data: { all: '{"a": 1}\n{"b": "ü"}\n' },
}
const stop = new AbortController()
let acting: Promise<void> | undefined

beforeAll(async () => {
  await apply(world(), app, ...definitions, rights)
  const names = definitions.map(({ metadata }) => `crd/${metadata.name}`)
  await world().kubectl(['wait', '--for=condition=Established', '--timeout=60s', ...names])
  await holdfast.profile(profile, world().s3, bucket)
  const cluster = {
    apiVersion: `${group}/v1`,
    kind: 'PerconaServerMongoDB',
    metadata: { name: 'mongo' },
    status: { state: 'ready' },
  }
  await apply(world(), app, documents, cluster)
  acting = actAsOperator()
})

afterAll(async () => {
  stop.abort()
  await acting
  const names = definitions.map(({ metadata }) => `crd/${metadata.name}`)
  await world().kubectl(['delete', '--ignore-not-found', '--wait=false', `clusterrole/${rights.metadata.name}`, ...names])
})

/**
 * Does what the operator of the database does about backups and restores, with the ConfigMap in place of a database. What fails, as when the object
 * goes meanwhile, is looked at again.
 */
async function actAsOperator(): Promise<void> {
  while (!stop.signal.aborted) {
    await tendAll().catch((error: unknown) => console.log(`the operator: ${String(error)}`))
    await delay(200)
  }
}

async function tendAll(): Promise<void> {
  for (const backup of await objects('backups')) await tendBackup(backup)
  for (const restore of await objects('restores')) await tendRestore(restore)
}

async function tendBackup(backup: Tended): Promise<void> {
  const { name, deletionTimestamp } = backup.metadata
  const place = { Bucket: bucket, Key: `mongo/${name}` }
  if (deletionTimestamp) {
    await withS3(world().s3, (client) => client.send(new DeleteObjectCommand(place)))
    await patch('backups', name, { metadata: { finalizers: null } })
  } else if (!backup.status) {
    const Body = await content()
    await withS3(world().s3, (client) => client.send(new PutObjectCommand({ ...place, Body })))
    await patch('backups', name, { status: { state: 'ready' } })
  }
}

async function tendRestore({ metadata, spec, status }: Tended): Promise<void> {
  if (status) return
  const place = { Bucket: bucket, Key: `mongo/${spec?.backupName}` }
  const all = await withS3(world().s3, async (client) =>
    (await client.send(new GetObjectCommand(place))).Body?.transformToString(),
  )
  await apply(world(), app, { ...documents, data: { all } })
  await patch('restores', metadata.name, { status: { state: 'ready' } })
}

interface Tended {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string }
  readonly spec?: { readonly backupName?: string }
  readonly status?: unknown
}

async function objects(what: string): Promise<readonly Tended[]> {
  const text = await world().kubectl(['get', `perconaservermongodb${what}.${group}`, '-n', app, '-o', 'json'])
  // The API server answers with a list of what the definitions above say.
  return (JSON.parse(text) as { items: Tended[] }).items
}

async function patch(what: string, name: string, change: object): Promise<void> {
  const words = ['patch', `perconaservermongodb${what}.${group}`, '-n', app, name, '--type=merge', '-p', JSON.stringify(change)]
  await world().kubectl(words)
}

const content = async (): Promise<string> => {
  const found = (await findObject(world(), app, 'configmap/documents')) as { data?: { all?: string } } | undefined
  return found?.data?.all ?? ''
}

test('a database that its operator backs up: objects are made, waited for and deleted', async () => {
  const published = 'kanisterio__kanister/examples/mongodb-percona/psmdb-bp.yaml'
  const blueprint = await install('operator', published, 'operator-objects.yaml')

  const backup = await roundTrip({
    target: ['-b', blueprint, '-O', `${group}/v1/perconaservermongodbs/${app}/mongo`],
    digest: content,
    destroy: () => apply(world(), app, { ...documents, data: { all: '' } }),
  })

  expect(backup.status?.actions?.[0]?.phases).toMatchObject([
    { state: 'complete', output: { apiVersion: 'v1', group, resource: 'perconaservermongodbbackups', namespace: app } },
    { state: 'complete' },
  ])
  expect(await objects('backups')).toEqual([])
})
