import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { listKeys } from '../harness/world/bucket.ts'
import { engineNamespace, useInstallation } from '../harness/world/installation.ts'
import { useBucket, useNamespace, useWorld, withS3 } from '../harness/world/fixtures.ts'
import { apply, shellIn, waitRolledOut } from '../harness/world/objects.ts'
import { fillOrders, ordersDigest, postgresObjects, serverLife, sql } from '../harness/world/postgres.ts'
import { waitFor } from '../harness/world/wait-for.ts'

const world = useWorld()
const holdfast = useInstallation(world)
const app = useNamespace(world, 'app')
const elsewhere = useNamespace(world, 'elsewhere')
const bucket = useBucket(world)
const blueprint = readFileSync(resolve(import.meta.dirname, '../../blueprints/postgresql/logical.yaml'), 'utf8')
const profile = `e2e-${bucket}`
let backup = ''
let digest = ''

beforeAll(async () => {
  await world().image('postgres')
  await apply(world(), engineNamespace, blueprint)
  await holdfast.profile(profile, world().s3, bucket, 'some/prefix')
  await apply(world(), app, ...postgresObjects({ replicas: 3 }))
  await apply(world(), elsewhere, ...postgresObjects({ name: 'other', password: 'another-password' }))
  await waitRolledOut(world(), app, 'statefulset/db', 180_000)
  await waitRolledOut(world(), elsewhere, 'statefulset/other', 180_000)
  digest = await fillOrders(world(), app, 'db-0')
}, 600_000)

describe('a PostgreSQL of three replicas', () => {
  test('is backed up, with length and hash in the artifact', async () => {
    backup = await holdfast.createActionSet(['-a', 'backup', '-b', 'postgresql', '-t', `${app}/db`, '-p', profile])
    const { status } = await holdfast.ended(backup)

    expect(status).toMatchObject({ state: 'complete', error: { message: '' }, progress: { percentCompleted: '100' } })
    expect(status?.actions?.[0]?.phases).toMatchObject([{ name: 'dump', state: 'complete' }])
    expect(status?.actions?.[0]?.artifacts?.['dump']?.keyValue).toEqual({
      snapshot: expect.stringMatching(/^[0-9a-f]{8,64}$/),
      repository: expect.any(String),
      bytes: expect.stringMatching(/^[1-9]\d+$/),
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
  })

  test('is not disturbed when a backup is cancelled while pg_dump runs', async () => {
    const life = await serverLife(world(), app, 'db-0')
    const lock = sql(world(), app, 'db-0', 'BEGIN; LOCK TABLE orders; SELECT pg_sleep(300);').catch(() => 'ended')
    const waiting = (mode: string): Promise<boolean> =>
      sql(world(), app, 'db-0', `SELECT count(*) FROM pg_locks WHERE relation = 'orders'::regclass AND ${mode}`).then(
        (n) => n !== '0',
      )
    await waitFor('the table to be locked', () => waiting('granted'))
    const name = await holdfast.createActionSet(['-a', 'backup', '-b', 'postgresql', '-t', `${app}/db`, '-p', profile])
    await waitFor('pg_dump to wait for the table', () => waiting('NOT granted'))

    await world().kubectl(['annotate', 'actionset', '-n', engineNamespace, name, 'holdfast.dev/cancel=true'])
    const { status } = await holdfast.ended(name)

    expect(status).toMatchObject({ state: 'failed', reason: 'Cancelled' })
    await waitFor('pg_dump to end', async () => !(await waiting('NOT granted')))
    await sql(
      world(),
      app,
      'db-0',
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(300)%' AND pid <> pg_backend_pid()`,
    )
    await lock
    // All that the engine had started in the container has ended, the shell around the command too.
    await waitFor('the exec to end', async () => {
      const left = await shellIn(world(), app, 'db-0', 'grep -las "[_]hf_n=" /proc/[0-9]*/cmdline | wc -l')
      return left.trim() === '0'
    })
    expect(await serverLife(world(), app, 'db-0')).toBe(life)
  })

  test('leaves Events with the reasons that Kanister uses', async () => {
    const events = await holdfast.events(backup)

    expect(events).toEqual(
      expect.arrayContaining([
        'Started Action: Executing action backup',
        'Started Phase: Executing phase dump',
        'Ended Phase: Completed phase dump',
        `Update Complete: Updated ActionSet '${backup}' Status->complete`,
      ]),
    )
  })

  test('leaves a record beside its data that says what it is, without any secret', async () => {
    const keys = await withS3(world().s3, (client) => listKeys(client, bucket))
    const recordKey = keys.find((key) => key.includes('record') && key.endsWith('.json'))
    const record = await world().kubectl(['get', 'run', '-n', engineNamespace, '-o', 'yaml'])

    expect(recordKey).toBeDefined()
    expect(keys.every((key) => key.startsWith('some/prefix/'))).toBe(true)
    expect(record).not.toContain(world().s3.secretKey)
  })

  test('gets its data back after the table was dropped', async () => {
    await sql(world(), app, 'db-0', 'DROP TABLE orders;')
    const restore = await holdfast.createActionSet(['-a', 'restore', '--from', backup])
    const { status } = await holdfast.ended(restore)

    expect(status?.error?.message).toBe('')
    expect(status?.state).toBe('complete')
    expect(await ordersDigest(world(), app, 'db-0')).toBe(digest)
  })

  test('gets its data back after its password was rotated and its pods are new', async () => {
    await sql(world(), app, 'db-0', `DROP TABLE orders; ALTER USER postgres PASSWORD 'rotated-password';`)
    await apply(world(), app, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'db' },
      stringData: { password: 'rotated-password' },
    })
    await world().kubectl(['rollout', 'restart', '-n', app, 'statefulset/db'])
    await waitRolledOut(world(), app, 'statefulset/db')
    const { status } = await holdfast.ended(await holdfast.createActionSet(['-a', 'restore', '--from', backup]))

    expect(status?.error?.message).toBe('')
    expect(await ordersDigest(world(), app, 'db-0')).toBe(digest)
  })

  test('is restored into another namespace under another name', async () => {
    const restore = await holdfast.createActionSet(['-a', 'restore', '--from', backup, '-t', `${elsewhere}/other`])
    const { status } = await holdfast.ended(restore)

    expect(status?.error?.message).toBe('')
    expect(await ordersDigest(world(), elsewhere, 'other-0')).toBe(digest)
  })

  test('loses the backup when it is deleted, and a restore from it says so', async () => {
    const { status: deleted } = await holdfast.ended(await holdfast.createActionSet(['-a', 'delete', '--from', backup]))
    const { status: restored } = await holdfast.ended(await holdfast.createActionSet(['-a', 'restore', '--from', backup]))

    expect(deleted?.error?.message).toBe('')
    expect(deleted?.state).toBe('complete')
    expect(restored?.state).toBe('failed')
    expect(restored?.error?.message).toMatch(/snapshot/i)
    expect(await ordersDigest(world(), app, 'db-0')).toBe(digest)
  })
})
