import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DeleteObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Schedule, ScheduledObject } from '../../src/api/schedule.ts'
import type { Verification } from '../../src/api/verification.ts'
import { run } from '../harness/machine/command.ts'
import { listKeys } from '../harness/world/bucket.ts'
import { useBucket, useNamespace, useWorld, withS3 } from '../harness/world/fixtures.ts'
import { engineNamespace, useInstallation } from '../harness/world/installation.ts'
import { apply, waitRolledOut } from '../harness/world/objects.ts'
import { postgresObjects, sql } from '../harness/world/postgres.ts'
import { waitFor } from '../harness/world/wait-for.ts'

const root = resolve(import.meta.dirname, '../..')
const world = useWorld()
const holdfast = useInstallation(world)
const app = useNamespace(world, 'app')
const bucket = useBucket(world)
const profile = `e2e-${bucket}`
const schedule = `proven-${bucket.slice(-8)}`
const key = `${app}/statefulset/db`
const rights = join(root, 'deploy/verification.yaml')
const place = ['--profile', `${engineNamespace}/${profile}`, '-n', engineNamespace]

const writing = new AbortController()
let load: Promise<void> = Promise.resolve()

beforeAll(async () => {
  await world().image('postgres')
  await apply(world(), engineNamespace, readFileSync(join(root, 'blueprints/postgresql/logical.yaml'), 'utf8'))
  await world().kubectl(['apply', '-f', rights])
  await holdfast.profile(profile, world().s3, bucket)
  await apply(world(), app, ...postgresObjects())
  await waitRolledOut(world(), app, 'statefulset/db', 240_000)
  await sql(world(), app, 'db-0', 'CREATE TABLE orders (id serial PRIMARY KEY, customer text);')
  load = writeOrders()
}, 600_000)

afterAll(async () => {
  writing.abort()
  await load
  const remove = ['delete', '-n', engineNamespace, '--ignore-not-found', '--wait=false']
  await world().kubectl([...remove, 'schedules.holdfast.dev', schedule])
  for (const kind of ['verifications', 'actionsets'])
    await world().kubectl([...remove, kind, '-l', `holdfast.dev/schedule=${schedule}`])
}, 120_000)

describe('a PostgreSQL that is written to, under a Schedule that proves its backups', () => {
  test('is backed up, restored elsewhere and counted, all by itself', async () => {
    await apply(world(), engineNamespace, {
      apiVersion: 'holdfast.dev/v1alpha1',
      kind: 'Schedule',
      metadata: { name: schedule },
      spec: {
        cron: '* * * * *',
        action: {
          blueprint: 'postgresql',
          profile: { name: profile, namespace: engineNamespace },
          options: { figures: 'full' },
        },
        objects: [{ kind: 'StatefulSet', namespace: app, name: 'db' }],
        verification: { cron: '* * * * *', check: { subset: '100%' }, restore: {}, verify: {} },
      },
    })
    await waitFor('a good backup', async () => (await seen()).lastSuccess, { timeoutMs: 240_000 })
    // One backup is enough: a year goes by until the next.
    await patch({ cron: '0 0 1 1 *' })
    const { lastProven } = await waitFor('its proof', async () => (await seen()).lastProven && (await seen()), {
      timeoutMs: 480_000,
    })
    writing.abort()

    expect(lastProven).toMatchObject({ at: expect.any(String), backup: expect.any(String), seconds: expect.any(Number) })
    const { status, spec } = await verification(lastProven?.verification ?? '')
    expect(status).toMatchObject({ state: 'complete', message: '' })
    expect(status?.steps?.map(({ name, state }) => `${name} ${state}`)).toEqual(
      ['catalog', 'check', 'restore', 'verify', 'clean'].map((name) => `${name} complete`),
    )
    const compared = status?.compared ?? {}
    for (const figure of ['tables', 'rows', 'counts', 'digest'])
      expect(compared[`figures.${figure}`]?.found, figure).toBe(compared[`figures.${figure}`]?.recorded)
    expect(compared['figures.tables']?.found).toBe('1')
    expect(compared['figures.digest']?.found).toMatch(/^md5 [0-9a-f]{32}$/)
    expect(spec.record).toContain(`holdfast/records/${app}/statefulset-db/`)
    console.log(`proven: ${status?.steps?.map(({ name, seconds }) => `${name} ${seconds} s`).join(', ')}`)
    expect(await holdfast.events(schedule, 'Normal')).toContainEqual(expect.stringMatching(/^BackupProven: .*can be restored/))
  }, 900_000)

  test('says so in status, in the list of backups and in numbers, also after the operator was killed', async () => {
    const { status } = await get()
    expect(status?.verification).toMatchObject({ lastProven: expect.any(String), neverProven: 0, failing: 0, message: '' })
    expect(await cli('backup', 'list', ...place, '--app-namespace', app)).toMatch(/ PROVEN .*\n.* \d+m ago +ok/)
    const { spec } = await verification((await seen()).lastProven?.verification ?? '')
    const [, id = ''] = /Z-(.+)\.json$/.exec(spec.record) ?? []
    expect(await cli('backup', 'show', id, ...place)).toMatch(/Proven: +proven .*\(catalog, check, restore, verify, clean\)/)
    const [head = ''] = (await world().kubectl(['get', 'schedules', '-n', engineNamespace, schedule])).split('\n')
    expect(head).toContain('PROVEN')

    await killOperator()
    const at = Date.parse(status?.verification?.lastProven ?? '') / 1_000
    await waitFor('the numbers of the next operator', async () => (await metric('last_proven_timestamp_seconds')) >= at, {
      timeoutMs: 180_000,
    })
    expect(await metric('verification_failing')).toBe(0)
  }, 300_000)

  test('whose backup was damaged in the bucket says that before anybody needs it', async () => {
    await withS3(world().s3, async (client) => {
      const packs = (await listKeys(client, bucket)).filter((each) => each.includes('/data/'))
      for (const Key of packs) await client.send(new DeleteObjectCommand({ Bucket: bucket, Key }))
    })
    const { lastDisproved } = await waitFor('word of it', async () => (await seen()).lastDisproved && (await seen()), {
      timeoutMs: 480_000,
    })
    expect(lastDisproved?.message).not.toBe('')
    console.log(`disproved: ${lastDisproved?.message}`)
    expect(await holdfast.events(schedule, 'Warning')).toContainEqual(expect.stringMatching(/^BackupDisproved: .*is no good/))
    expect(await cli('backup', 'list', ...place, '--app-namespace', app)).toMatch(/ failed \d+m ago +ok/)
    await waitFor('the number', async () => (await metric('disproved_objects')) === 1, { timeoutMs: 60_000 })
  }, 600_000)
})

function cli(...words: string[]): Promise<string> {
  return run(process.execPath, [join(root, 'src/main/holdfast.ts'), ...words], { env: { KUBECONFIG: world().kubeconfig } })
}

async function get(): Promise<Schedule> {
  return JSON.parse(await world().kubectl(['get', 'schedules', '-n', engineNamespace, schedule, '-o', 'json'])) as Schedule
}

async function seen(): Promise<Partial<ScheduledObject>> {
  return (await get()).status?.objects?.[key] ?? {}
}

async function verification(name: string): Promise<Verification> {
  return JSON.parse(await world().kubectl(['get', 'verifications', '-n', engineNamespace, name, '-o', 'json'])) as Verification
}

async function patch(spec: object): Promise<void> {
  const text = JSON.stringify({ spec })
  await world().kubectl(['patch', 'schedules', '-n', engineNamespace, schedule, '--type=merge', '-p', text])
}

/** As hard as Kubernetes can: no time to say goodbye. */
async function killOperator(): Promise<void> {
  const label = ['-l', 'app.kubernetes.io/name=holdfast-operator']
  await world().kubectl(['delete', 'pod', '-n', engineNamespace, ...label, '--force', '--grace-period=0'])
}

/** Of this Schedule, as the operator that leads says it; -1 while nobody does. */
async function metric(name: string): Promise<number> {
  const label = ['-l', 'app.kubernetes.io/name=holdfast-operator']
  const pods = await world().kubectl(['get', 'pods', '-n', engineNamespace, ...label, '-o', 'name'])
  for (const pod of pods.split('\n').filter(Boolean)) {
    const path = `/api/v1/namespaces/${engineNamespace}/pods/${pod.replace('pod/', '')}:8000/proxy/metrics`
    const text = await world()
      .kubectl(['get', '--raw', path])
      .catch(() => '')
    const line = text
      .split('\n')
      .find((each) => each.startsWith(`holdfast_schedule_${name}{`) && each.includes(`schedule="${schedule}"`))
    if (line !== undefined) return Number(line.split(' ').at(-1))
  }
  return -1
}

async function writeOrders(): Promise<void> {
  const insert = `INSERT INTO orders (customer) SELECT md5(random()::text) FROM generate_series(1, 200)`
  while (!writing.signal.aborted) await sql(world(), app, 'db-0', insert).catch(() => undefined)
}
