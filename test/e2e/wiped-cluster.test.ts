import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { CreateBucketCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CatalogImport } from '../../src/api/catalog-import.ts'
import { downCluster } from '../harness/cluster/cluster.ts'
import { type CommandResult, runFully } from '../harness/machine/command.ts'
import { harnessFolders, spareCluster } from '../harness/machine/folders.ts'
import { type OwnS3, startOwnS3 } from '../harness/stores/own-s3.ts'
import { listKeys } from '../harness/world/bucket.ts'
import { withS3 } from '../harness/world/fixtures.ts'
import { applyProfile, engineNamespace, installHoldfast } from '../harness/world/installation.ts'
import { apply, type KubeObject, waitRolledOut } from '../harness/world/objects.ts'
import { fillOrders, ordersDigest, postgresObjects } from '../harness/world/postgres.ts'
import { waitFor } from '../harness/world/wait-for.ts'
import { openWorld, type World, type WorldS3 } from '../harness/world/world.ts'

/**
 * The whole night: a cluster of its own beside that of the other tests, a bucket outside of both. The cluster is destroyed with etcd and
 * volumes; what is left is bucket, credentials and recovery key.
 */
const env = spareCluster()
const folders = harnessFolders(env)
const root = resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'holdfast-wiped-'))
const keyFile = join(folder, 'recovery.key')
const app = 'shop'
const [bucket, prefix, profile] = ['night', 'some/prefix', 'bucket']
const place = ['--profile', profile, '-n', engineNamespace]

let s3: OwnS3
let world: World
let [digest, backup, etcd] = ['', '', '']

/** The command line, as somebody types it. */
async function cli(words: readonly string[], accept: readonly number[] = [0]): Promise<CommandResult> {
  const run = { env: { KUBECONFIG: world.kubeconfig }, accept }
  return runFully(process.execPath, [join(root, 'src/main/holdfast.ts'), ...words], run)
}

/** The server as this machine and pods of the cluster that is there now reach it. */
function reached(): WorldS3 {
  const endpoint = `http://${world.hostIp ?? ''}:${s3.port}`
  return { endpoint, podEndpoint: endpoint, region: s3.region, accessKey: s3.accessKey, secretKey: s3.secretKey }
}

async function getObject<T = KubeObject>(name: string): Promise<T> {
  return JSON.parse(await world.kubectl(['get', '-n', engineNamespace, name, '-o', 'json'])) as T
}

/** The state of an ActionSet that has ended, and why. */
async function ended(name: string): Promise<{ readonly state: string; readonly message: string }> {
  return waitFor(
    `actionset ${name} to end`,
    async () => {
      const { status } = await getObject<{
        readonly status?: { readonly state?: string; readonly error?: { readonly message?: string } }
      }>(`actionset/${name}`)
      const over = status?.state === 'complete' || status?.state === 'failed'
      return over ? { state: status.state ?? '', message: status.error?.message ?? '' } : undefined
    },
    { timeoutMs: 240_000 },
  )
}

/** A cluster with nothing in it but the images that a registry would give. */
async function freshCluster(): Promise<void> {
  await downCluster(folders)
  world = await openWorld(env)
  await world.image('postgres')
}

const actionSetOf = (name: string, action: object, labels: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'cr.kanister.io/v1alpha1',
  kind: 'ActionSet',
  metadata: { name, labels },
  spec: { actions: [{ object: { kind: 'StatefulSet', name: 'db', namespace: app }, blueprint: 'postgresql', ...action }] },
})

describe.skipIf(process.env['HOLDFAST_USE_CLUSTER'] === '1')('a cluster that is gone with everything in it', () => {
  beforeAll(async () => {
    s3 = await startOwnS3()
    await freshCluster()
    await installHoldfast(world, folders)
    await withS3(reached(), (client) => client.send(new CreateBucketCommand({ Bucket: bucket })))
    await apply(world, engineNamespace, readFileSync(join(root, 'blueprints/postgresql/logical.yaml'), 'utf8'), nightly())
    await applyProfile(world, { name: profile, s3: reached(), bucket, prefix })
    await world.kubectl(['create', 'namespace', app])
    await apply(world, app, ...postgresObjects())
    await waitRolledOut(world, app, 'statefulset/db', 240_000)
    digest = await fillOrders(world, app, 'db-0', 50_000)
    backup = 'nightly-by-hand'
    const ref = { name: profile, namespace: engineNamespace }
    await apply(
      world,
      engineNamespace,
      actionSetOf(backup, { name: 'backup', profile: ref }, { 'holdfast.dev/schedule': 'nightly' }),
    )
    expect(await ended(backup)).toEqual({ state: 'complete', message: '' })
    await cli(['key', 'export', '-n', engineNamespace, '--to-file', keyFile])
    const linked = async (): Promise<boolean> =>
      (await withS3(reached(), (client) => listKeys(client, bucket))).some((key) => key.includes('/holdfast/chain/'))
    await waitFor('the backup to stand in the chain', linked, { timeoutMs: 180_000 })
    etcd = join(folders.state, 'etcd')
    expect(existsSync(etcd)).toBe(true)
    await downCluster(folders)
  }, 900_000)

  afterAll(async () => {
    await downCluster(folders)
    await s3.stop()
    rmSync(folder, { recursive: true, force: true })
  }, 300_000)

  test('comes back from bucket, credentials and key alone, with every row and its time', async () => {
    expect(existsSync(folders.state)).toBe(false)
    const lostMs = performance.now()
    await freshCluster()
    const clusterMs = performance.now()
    await installHoldfast(world, folders)
    await cli(['key', 'import', '-n', engineNamespace, keyFile])
    await applyProfile(world, { name: profile, s3: reached(), bucket, prefix })
    await apply(world, engineNamespace, {
      apiVersion: 'holdfast.dev/v1alpha1',
      kind: 'CatalogImport',
      metadata: { name: 'all' },
      spec: { profile: { name: profile } },
    } as unknown as KubeObject)
    const { status } = await waitFor(
      'the import to end',
      async () => {
        const seen = await getObject<CatalogImport>('catalogimport/all')
        return seen.status?.state === 'complete' || seen.status?.state === 'incomplete' ? seen : undefined
      },
      { timeoutMs: 180_000 },
    )
    expect(status).toMatchObject({
      state: 'complete',
      records: 1,
      created: { blueprints: 1, actionSets: 1, schedules: 1 },
      problems: [],
      writers: [{ backups: 1, owned: false }],
    })

    // Secrets are in no backup.
    await world.kubectl(['create', 'namespace', app])
    await apply(world, app, ...postgresObjects().filter(({ kind }) => kind === 'Secret'))
    const restored = await cli(['backup', 'restore', backup, ...place, '--wait', '-o', 'json'])
    const { seconds, expectedSeconds } = JSON.parse(restored.stdout) as Record<'seconds' | 'expectedSeconds', number>

    expect(await ordersDigest(world, app, 'db-0')).toBe(digest)
    const since = (ms: number): string => ((performance.now() - ms) / 1000).toFixed(1)
    console.log(
      `restored in ${seconds.toFixed(1)} s, forecast ${expectedSeconds} s; ` +
        `${since(clusterMs)} s after the new cluster was ready, ${since(lostMs)} s after the old one was gone`,
    )
  }, 900_000)

  test('its Schedule is there, suspended, and says where it came from', async () => {
    const schedule = await getObject('schedule/nightly')

    // The engine has looked at it for a while: at rest it is not written again and again.
    expect(schedule.metadata['generation']).toBeLessThan(10)
    expect(schedule).toMatchObject({
      metadata: { annotations: { 'holdfast.dev/imported-namespace': engineNamespace } },
      spec: { cron: '0 3 1 1 *', suspend: true, retention: { keepLast: 1 }, action: { profile: { name: profile } } },
    })
  })

  test('a delete by hand of what it had backed up is refused until the takeover, and its bytes stay', async () => {
    const parent = await getObject<{ readonly status: { readonly actions: readonly { readonly artifacts: object }[] } }>(
      `actionset/${backup}`,
    )
    const { artifacts } = parent.status.actions[0] ?? { artifacts: {} }
    const action = { name: 'delete', artifacts, profile: { name: profile, namespace: engineNamespace } }
    const keys = (): Promise<string[]> => withS3(reached(), (client) => listKeys(client, bucket))
    const before = await keys()

    await apply(world, engineNamespace, actionSetOf('delete-early', action))
    const early = await ended('delete-early')
    const after = await keys()
    await cli(['dr', 'takeover', ...place, '--yes', '--force'])
    await apply(world, engineNamespace, actionSetOf('delete-later', action))

    expect(early.state).toBe('failed')
    expect(early.message).toMatch(/CONTROLLER_FOREIGN_BACKUP.*holdfast dr takeover/)
    expect(after.filter((key) => !key.includes('/locks/'))).toEqual(before.filter((key) => !key.includes('/locks/')))
    expect(await ended('delete-later')).toEqual({ state: 'complete', message: '' })
    const gone = async (): Promise<boolean> => !(await keys()).some((key) => key.includes('/holdfast/records/'))
    await waitFor('the record to go', gone, { timeoutMs: 180_000 })
  })
})

/** Never due in a test. */
function nightly(): KubeObject {
  return {
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'Schedule',
    metadata: { name: 'nightly' },
    spec: {
      cron: '0 3 1 1 *',
      action: { blueprint: 'postgresql', profile: { name: profile, namespace: engineNamespace } },
      objects: [{ kind: 'StatefulSet', name: 'db', namespace: app }],
      retention: { keepLast: 1 },
    },
  }
}
