import { beforeAll, describe, expect, test } from 'vitest'
import type { ActionSet, ActionSpec } from '../../src/api/actionset.ts'
import { toolsImage } from '../harness/images/tools-image.ts'
import { useBucket, useNamespace, useWorld } from '../harness/world/fixtures.ts'
import { useInstallation } from '../harness/world/installation.ts'
import {
  appPassword,
  chartMariadb,
  chartMongodb,
  chartPostgres,
  chartRedis,
  timeLogger,
} from '../harness/world/kanister-apps.ts'
import { apply, shellIn, waitRolledOut } from '../harness/world/objects.ts'
import { fillOrders, ordersDigest, sql } from '../harness/world/postgres.ts'
import { emptyRepository, forgottenSnapshots, useTraveller } from '../harness/world/round-trip.ts'

const world = useWorld()
const holdfast = useInstallation(world)
const app = useNamespace(world, 'app')
const bucket = useBucket(world)
const profile = `e2e-${bucket}`
const { install, run, roundTrip, expectNothingLeft, dataKeys } = useTraveller(world, holdfast, { app, bucket, profile })

/** Names of images that the Blueprints have and nobody can pull here. All are our image of tools. */
const pinned = [
  'ghcr.io/kanisterio/postgres-kanister-tools:0.116.0',
  'ghcr.io/kanisterio/mysql-sidecar:0.116.0',
  'ghcr.io/kanisterio/kanister-tools:0.110.0',
  'ghcr.io/kanisterio/kanister-tools:0.112.0',
  'ghcr.io/kanisterio/kanister-tools:0.114.0',
  'ghcr.io/kanisterio/kanister-tools:0.116.0',
  'docker.io/library/mysql:8',
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

const inPod = (pod: string, script: string): Promise<string> => shellIn(world(), app, pod, script)
const filesBelow = (pod: string, folder: string): Promise<string> =>
  inPod(pod, `cd ${folder} && find . -type f -exec sha256sum {} + | sort`)

/** Changes each action of an ActionSet, for what `create actionset` has no flag. */
const withEach =
  (more: Partial<ActionSpec>) =>
  (actionSet: ActionSet): ActionSet => ({
    ...actionSet,
    spec: { ...actionSet.spec, actions: (actionSet.spec?.actions ?? []).map((action) => ({ ...action, ...more })) },
  })

const word: unknown = expect.stringMatching(/^\w+$/)
/** As Kanister writes times: whole seconds, UTC. */
const moment: unknown = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)

describe('PostgreSQL', () => {
  const pod = 'shop-postgresql-0'
  const target = (blueprint: string): string[] => ['-b', blueprint, '-t', `${app}/shop-postgresql`]
  const digest = (): Promise<string> => ordersDigest(world(), app, pod).catch(() => 'no table')

  test('dumped in a task, through kando', async () => {
    const blueprint = await install('pg-dump', 'kanisterio__blueprints/postgres/postgres-blueprint.yaml', 'postgres-dump.yaml')
    await fillOrders(world(), app, pod)

    const { status } = await roundTrip({
      target: target(blueprint),
      forDelete: ['--namespacetargets', app],
      digest,
      destroy: async () => void (await sql(world(), app, pod, 'DROP TABLE orders')),
    })

    // Every field that Kanister's status has then, and beside them one of ours, that may come a moment later; the Blueprint chose the names.
    const [phase, artifacts] = [status?.actions?.[0]?.phases?.[0], status?.actions?.[0]?.artifacts]
    const [key = '', path = ''] = Object.entries(phase?.output ?? {})[0] ?? []
    const [artifact = '', { keyValue = {} } = {}] = Object.entries(artifacts ?? {})[0] ?? []
    const field = Object.keys(keyValue)[0] ?? ''
    const done = { progressPercent: '100', lastTransitionTime: moment }
    expect({ ...status, catalogued: true }).toEqual({
      state: 'complete',
      actions: [
        {
          name: 'backup',
          object: { apiVersion: '', group: '', resource: '', kind: 'statefulset', name: 'shop-postgresql', namespace: app },
          blueprint,
          phases: [{ name: word, state: 'complete', output: { [key]: path }, progress: done }],
          artifacts: { [artifact]: { keyValue: { [field]: path } } },
          deferPhase: { name: '', state: '', progress: {} },
        },
      ],
      error: { message: '' },
      progress: { percentCompleted: '100', lastTransitionTime: moment },
      catalogued: true,
    })
  })

  test('its volume copied while a session of a pod that KubeOps made holds it in backup mode', async () => {
    const published = 'kanisterio__blueprints/postgres/postgres-start-stop-blueprint.yaml'
    const blueprint = await install('pg-volume', published, 'postgres-volume.yaml')
    await fillOrders(world(), app, pod)
    // The Blueprint asks for a slow checkpoint: with nothing to write it is quick.
    await sql(world(), app, pod, 'CHECKPOINT')

    const { status } = await roundTrip({
      target: target(blueprint),
      digest,
      destroy: async () => {
        await inPod(pod, 'rm -rf /var/lib/postgresql/data/*')
        await world().kubectl(['delete', 'pod', '-n', app, pod, '--grace-period=1'])
        await waitRolledOut(world(), app, 'statefulset/shop-postgresql')
      },
      settled: () => waitRolledOut(world(), app, 'statefulset/shop-postgresql'),
      left: forgottenSnapshots,
    })

    const [made, , , copied] = status?.actions?.[0]?.phases ?? []
    expect(made?.output).toEqual({
      apiVersion: 'v1',
      group: '',
      resource: 'pods',
      kind: '',
      name: expect.any(String),
      namespace: app,
    })
    expect(copied?.output).toMatchObject({
      backupID: expect.stringMatching(/^[0-9a-f]{8}$/),
      backupTag: expect.stringMatching(/^[0-9a-z]{10}$/),
      backupRoot: '/mnt/vol_data/data-shop-postgresql-0',
      backupArtifactLocation: expect.stringMatching(new RegExp(`^${bucket}/`)),
      phySize: expect.stringMatching(/^\d+(\.\d+)? [KMG]iB$/),
      version: 'v0.0.0',
    })
    expect(status?.actions?.[0]?.deferPhase).toMatchObject({ state: 'complete', output: { name: made?.output?.['name'] } })
  })
})

test('files of a Deployment, kept in a repository, restored while it is scaled down', async () => {
  const blueprint = await install('time-log', 'kanisterio__blueprints/time-log/time-log-blueprint.yaml', 'time-log.yaml')
  const pod = 'deployment/time-logger'
  await inPod(pod, 'mkdir -p /var/log/deep; head -c 3000000 /dev/urandom > /var/log/deep/x; date > /var/log/time.log')

  await roundTrip({
    target: ['-b', blueprint, '-d', `${app}/time-logger`],
    digest: () => filesBelow(pod, '/var/log/deep'),
    destroy: async () => void (await inPod(pod, 'rm -rf /var/log/deep/* /var/log/time.log')),
    settled: () => waitRolledOut(world(), app, 'deployment/time-logger'),
  })
})

describe('MariaDB', () => {
  const query = (text: string): Promise<string> =>
    world().kubectl(['exec', '-i', '-n', app, 'books-0', '--', 'mariadb', '-uroot', `-p${appPassword}`, '-N'], { input: text })
  const fill = (): Promise<string> =>
    query(`CREATE DATABASE IF NOT EXISTS books; USE books; CREATE OR REPLACE TABLE orders (id INT PRIMARY KEY, title TEXT);
           INSERT INTO orders SELECT seq, CONCAT('"quoted" \\\\ übung ', MD5(seq)) FROM seq_1_to_2000;`)
  const digest = (): Promise<string> =>
    query(`SET group_concat_max_len = 10000000;
           SELECT COUNT(*), SHA2(GROUP_CONCAT(id, title ORDER BY id), 256) FROM books.orders;`).catch(() => 'no table')
  const destroy = async (): Promise<void> => void (await query('DROP DATABASE books;'))

  test('dumped by mysqldump in a task, through kando', async () => {
    const blueprint = await install('mysql', 'kanisterio__blueprints/mysql/mysql-blueprint.yaml', 'mysql-dump.yaml')
    await fill()

    await roundTrip({
      target: ['-b', blueprint, '-t', `${app}/books`],
      forDelete: ['--namespacetargets', app],
      digest,
      destroy,
    })
  })

  test('dumped by one container and stored by another, as a snapshot that its artifact names', async () => {
    const published = 'kanisterio__blueprints/mysql/blueprint-v2/mysql-blueprint.yaml'
    const blueprint = await install('mysql-snapshot', published, 'snapshot.yaml')
    await fill()

    await roundTrip({
      target: ['-b', blueprint, '-t', `${app}/books`],
      forDelete: ['--namespacetargets', app],
      digest,
      destroy,
    })
  })

  test('dumped by one container and stored by another, commands by podOverride', async () => {
    const published = 'kanisterio__kanister/examples/mysql/dump-db-blueprint.yaml'
    const blueprint = await install('two-containers', published, 'two-containers.yaml')
    const options = ['-o', `Namespace=${app},DBImage=${toolsImage.name}`, '-p', profile]
    const command = (name: string, script: string): Partial<ActionSpec> => ({
      podOverride: { containers: [{ name, command: ['bash', '-euo', 'pipefail', '-c', script] }] },
    })
    const login = `-h books -u root --password=${appPassword}`
    const dump = command('background', `mysqldump --all-databases --single-transaction ${login} > /tmp/data`)
    const load = command('output', `mysql ${login} < /tmp/data`)
    await fill()
    const [before, keysBefore] = [await digest(), await dataKeys()]

    const target = ['-b', blueprint, '-t', `${app}/books`, ...options]
    const { status } = await run(['-a', 'backup', ...target], withEach(dump))
    const artifacts = { dump: { keyValue: { s3path: status?.actions?.[0]?.phases?.[0]?.output?.['s3path'] ?? '' } } }
    await destroy()
    await run(['-a', 'restore', ...target], withEach({ artifacts, ...load }))

    expect(await digest()).toBe(before)
    await run(['-a', 'delete', '-b', blueprint, '-T', app, ...options], withEach({ artifacts }))
    await expectNothingLeft(keysBefore)
  })
})

test('Redis, dumped in a task whose image the ActionSet gives', async () => {
  const blueprint = await install('redis', 'kanisterio__blueprints/redis/redis-blueprint.yaml', 'redis-dump.yaml')
  const redis = (words: string): Promise<string> => inPod('cache-master-0', `redis-cli -a ${appPassword} ${words}`)
  await inPod(
    'cache-master-0',
    `for n in $(seq 60); do echo "SET key:$n \\"value $n \\\\\\" \\\\x00\\""; done | redis-cli -a ${appPassword} > /dev/null`,
  )

  await roundTrip({
    target: ['-b', blueprint, '-t', `${app}/cache-master`],
    forDelete: ['--namespacetargets', app],
    // The Blueprint has a placeholder where its image should be.
    change: withEach({ podOverride: { containers: [{ name: 'container', image: toolsImage.name }] } }),
    digest: () => redis('debug digest'),
    destroy: async () => void (await redis('flushall')),
  })
})

test('all pods of a replica set, restored while it is scaled down, a volume prepared', async () => {
  const published = 'kanisterio__blueprints/mongodb-restic/mongodb-restic-blueprint.yaml'
  const blueprint = await install('mongodb', published, 'all-pods.yaml')
  const [primary, secondary] = ['my-release-mongodb-0', 'my-release-mongodb-1']
  const data = '/bitnami/mongodb/data/db'
  for (const pod of [primary, secondary])
    await inPod(pod, `mkdir -p ${data}; head -c 2000000 /dev/urandom > ${data}/$(hostname)`)

  await roundTrip({
    target: ['-b', blueprint, '-t', `${app}/my-release-mongodb`],
    digest: () => filesBelow(primary, data),
    destroy: async () => void (await inPod(primary, `rm -rf ${data}; mkdir ${data}`)),
    settled: () => waitRolledOut(world(), app, 'statefulset/my-release-mongodb'),
    left: emptyRepository,
  })

  await world().kubectl(['scale', '-n', app, 'statefulset/my-release-mongodb', '--replicas=2'])
  await waitRolledOut(world(), app, 'statefulset/my-release-mongodb')
  expect(await inPod(secondary, `ls ${data}`)).toBe('')
})
