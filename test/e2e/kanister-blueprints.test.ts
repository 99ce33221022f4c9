import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { blueprintIn, findPublishedBlueprint } from '../build/published-blueprints.ts'
import { toolsImage } from '../harness/images/tools-image.ts'
import { listKeys } from '../harness/world/bucket.ts'
import { useBucket, useNamespace, useWorld, withS3 } from '../harness/world/fixtures.ts'
import { engineNamespace, type SeenActionSet, useInstallation } from '../harness/world/installation.ts'
import {
  appPassword,
  chartMariadb,
  chartMongodb,
  chartPostgres,
  chartRedis,
  timeLogger,
} from '../harness/world/kanister-apps.ts'
import { apply, type KubeObject, shellIn, waitRolledOut } from '../harness/world/objects.ts'
import { fillOrders, ordersDigest, sql } from '../harness/world/postgres.ts'
import { waitFor } from '../harness/world/wait-for.ts'

const world = useWorld()
const holdfast = useInstallation(world)
const app = useNamespace(world, 'app')
const bucket = useBucket(world)
const profile = `e2e-${bucket}`
const id = bucket.slice(-8)

/** Names of images that the Blueprints have and nobody can pull here. All are our image of tools. */
const pinned = [
  'ghcr.io/kanisterio/postgres-kanister-tools:0.116.0',
  'ghcr.io/kanisterio/mysql-sidecar:0.116.0',
  'ghcr.io/kanisterio/kanister-tools:0.110.0',
  'ghcr.io/kanisterio/kanister-tools:0.112.0',
  'ghcr.io/kanisterio/kanister-tools:0.116.0',
  'docker.io/bitnamilegacy/postgresql:17',
  'docker.io/library/busybox:latest',
]

beforeAll(async () => {
  await Promise.all([world().image('debian'), world().image('postgres'), world().image('redis')])
  const tools = await world().image(toolsImage)
  for (const name of pinned) await world().nameImage(tools, name)
  await holdfast.profile(profile, world().s3, bucket)
  await apply(world(), app, ...chartPostgres('shop'), ...chartMariadb('books', tools), ...chartRedis('cache'))
  await apply(world(), app, ...timeLogger(), ...chartMongodb('my-release'))
  for (const name of ['shop-postgresql', 'books', 'cache-master', 'my-release-mongodb', 'my-release-mongodb-arbiter'])
    await waitRolledOut(world(), app, `statefulset/${name}`, 180_000)
  await waitRolledOut(world(), app, 'deployment/time-logger')
}, 900_000)

/**
 * Installs the published Blueprint as it is, under a name of its own, since several have the same; where the machine does not
 * have it, one of ours in its place that uses the same functions in the same ways.
 */
async function install(name: string, published: string, ours: string): Promise<string> {
  const found = findPublishedBlueprint(published)
  const text = found?.text ?? readFileSync(join(import.meta.dirname, 'blueprints', ours), 'utf8')
  console.log(`${name}: ${found ? `${published} as it was published` : `our own ${ours}, since ${published} is not here`}`)
  const blueprint = { ...blueprintIn(text), metadata: { name: `${name}-${id}` } }
  await apply(world(), engineNamespace, blueprint as unknown as KubeObject)
  return blueprint.metadata.name
}

const run = async (args: readonly string[]): Promise<SeenActionSet> => {
  const seen = await holdfast.ended(await holdfast.createActionSet(args), 240_000)
  expect(seen.status?.error?.message).toBe('')
  return seen
}

interface RoundTrip {
  /** What the plugin gets for the backup beside action and Profile. */
  readonly target: readonly string[]
  /** What the delete gets beside `--from`. */
  readonly forDelete?: readonly string[]
  digest(): Promise<string>
  destroy(): Promise<void>
  /** Until the application can be looked at again. */
  settled?(): Promise<void>
  /** What may be in the bucket after the delete. */
  readonly left?: RegExp
}

/** Backup, destroy, restore, delete, as a user does it; gives the ActionSet of the backup. */
async function roundTrip(trip: RoundTrip): Promise<SeenActionSet> {
  const secrets = await secretNames()
  const before = await trip.digest()

  const backup = await run(['-a', 'backup', '-p', profile, ...trip.target])
  expect(await dataKeys()).not.toEqual([])
  await trip.destroy()
  expect(await trip.digest()).not.toBe(before)
  await run(['-a', 'restore', '--from', backup.metadata.name])
  await trip.settled?.()
  expect(await trip.digest()).toBe(before)
  await run(['-a', 'delete', '--from', backup.metadata.name, ...(trip.forDelete ?? [])])

  expect((await dataKeys()).filter((key) => !trip.left?.test(key))).toEqual([])
  await waitFor('the pods of the phases to be gone', async () => (await podsOfPhases()).length === 0)
  expect(await secretNames()).toEqual(secrets)
  return backup
}

/** Keys of the bucket, but for the records of backups, which stay as history. */
async function dataKeys(): Promise<string[]> {
  const keys = await withS3(world().s3, (client) => listKeys(client, bucket))
  return keys.filter((key) => !key.startsWith('holdfast/records/'))
}

const namesOf = async (kind: string, namespace: string, ...args: string[]): Promise<string[]> =>
  (await world().kubectl(['get', kind, '-n', namespace, '-o', 'name', ...args])).split('\n').filter(Boolean)

async function podsOfPhases(): Promise<string[]> {
  const made = ['-l', 'createdBy=kanister']
  return [...(await namesOf('pods', app, ...made)), ...(await namesOf('pods', engineNamespace, ...made))]
}

/** All Secrets but the passwords of repositories, which outlive them. */
async function secretNames(): Promise<string[]> {
  const all = [...(await namesOf('secrets', app)), ...(await namesOf('secrets', engineNamespace))]
  return all.filter((name) => !name.startsWith('secret/holdfast-repo-')).toSorted()
}

/** Config and keys of a repository, whose snapshots are gone. */
const emptyRepository = /\/(config|keys\/[0-9a-f]{64})$/

describe('PostgreSQL', () => {
  const pod = 'shop-postgresql-0'
  test('dump through kando in a task', async () => {
    const blueprint = await install('pg-dump', 'kanisterio__blueprints/postgres/postgres-blueprint.yaml', 'postgres-dump.yaml')
    await fillOrders(world(), app, pod)

    await roundTrip({
      target: ['-b', blueprint, '-t', `${app}/shop-postgresql`],
      forDelete: ['--namespacetargets', app],
      digest: () => ordersDigest(world(), app, pod).catch(() => 'no table'),
      destroy: async () => void (await sql(world(), app, pod, 'DROP TABLE orders')),
    })
  })
})
