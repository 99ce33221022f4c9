import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { useBucket, useNamespace, useWorld } from '../harness/world/fixtures.ts'
import { engineNamespace, useInstallation } from '../harness/world/installation.ts'
import { apply, shellIn, waitRolledOut } from '../harness/world/objects.ts'
import { fillOrders, ordersDigest, postgresObjects, serverLife, sql } from '../harness/world/postgres.ts'
import { waitFor } from '../harness/world/wait-for.ts'

const world = useWorld()
const holdfast = useInstallation(world)
const app = useNamespace(world, 'app')
const bucket = useBucket(world)
const blueprint = readFileSync(resolve(import.meta.dirname, '../../blueprints/postgresql/files.yaml'), 'utf8')
const profile = `e2e-${bucket}`
let backup = ''
let digest = ''
let writtenBefore = 0
let writtenAfter = 0

beforeAll(async () => {
  await world().image('postgres')
  await apply(world(), engineNamespace, blueprint)
  await holdfast.profile(profile, world().s3, bucket)
  await apply(world(), app, ...postgresObjects())
  await waitRolledOut(world(), app, 'statefulset/db', 180_000)
  digest = await fillOrders(world(), app, 'db-0')
}, 600_000)

describe('the files of a running PostgreSQL', () => {
  test('are backed up while it is written to', async () => {
    await startWriter()
    writtenBefore = await writtenRows()
    const life = await serverLife(world(), app, 'db-0')
    backup = await holdfast.createActionSet(['-a', 'backup', '-b', 'postgresql-files', '-t', `${app}/db`, '-p', profile])
    const { status } = await holdfast.ended(backup, 240_000)
    writtenAfter = await writtenRows()
    await stopWriter()

    expect(status?.error?.message).toBe('')
    expect(status?.state).toBe('complete')
    expect(writtenAfter).toBeGreaterThan(writtenBefore)
    expect(await serverLife(world(), app, 'db-0')).toBe(life)
    expect(status?.actions?.[0]?.artifacts?.['files']?.keyValue).toMatchObject({
      data: expect.stringMatching(/^[0-9a-f]{8}$/),
      wal: expect.stringMatching(/^[0-9a-f]{8}$/),
      label: expect.stringMatching(/^[0-9A-Za-z+/=]+$/),
    })
    expect(await traces()).toBe('0 sessions, 0 slots, 0 folders')
  })

  test('come back as they were, with every row that was committed before the backup and no gap among later ones', async () => {
    await sql(world(), app, 'db-0', `DELETE FROM orders WHERE id % 2 = 0; CREATE TABLE later (id int); DROP TABLE written;`)
    const { status } = await holdfast.ended(await holdfast.createActionSet(['-a', 'restore', '--from', backup]), 300_000)
    await waitRolledOut(world(), app, 'statefulset/db')

    expect(status?.error?.message).toBe('')
    expect(status?.state).toBe('complete')
    expect(await ordersDigest(world(), app, 'db-0')).toBe(digest)
    expect(await sql(world(), app, 'db-0', `SELECT to_regclass('later') IS NULL`)).toBe('t')
    const rows = await writtenRows()
    expect(rows).toBeGreaterThanOrEqual(writtenBefore)
    expect(rows).toBeLessThanOrEqual(writtenAfter)
    expect(await sql(world(), app, 'db-0', 'SELECT max(id) FROM written')).toBe(String(rows))
  })

  test('are looked at by verify, which gives the figures of the backup', async () => {
    const figuresOf = async (actionSet: string): Promise<unknown> =>
      (await holdfast.get(actionSet)).status?.actions?.[0]?.artifacts?.['figures']
    const look = await holdfast.createActionSet(['-a', 'verify', '--from', backup, '-o', 'read=all'])
    const { status } = await holdfast.ended(look, 120_000)

    expect(status?.error?.message).toBe('')
    expect(await figuresOf(look)).toEqual(await figuresOf(backup))
  })

  test('are let go of by the deferred phase when the copy fails', async () => {
    const wrong = await holdfast.profile(`${profile}-wrong`, { ...world().s3, secretKey: 'not-the-secret-key' }, bucket)
    const life = await serverLife(world(), app, 'db-0')
    const failed = await holdfast.createActionSet(['-a', 'backup', '-b', 'postgresql-files', '-t', `${app}/db`, '-p', wrong])
    const { status } = await holdfast.ended(failed, 240_000)

    expect(status?.state).toBe('failed')
    expect(status?.error?.message).toContain(bucket)
    expect(status?.actions?.[0]?.phases?.map(({ state }) => state)).toEqual(['complete', 'failed', 'pending', 'pending'])
    await waitFor('the deferred phase to end', async () => {
      const seen = await holdfast.get(failed)
      return seen.status?.actions?.[0]?.deferPhase?.state === 'complete'
    })
    expect(await traces()).toBe('0 sessions, 0 slots, 0 folders')
    expect(await serverLife(world(), app, 'db-0')).toBe(life)
  })

  test('are deleted, and a restore from what is gone leaves the data that is there alone', async () => {
    const { status } = await holdfast.ended(await holdfast.createActionSet(['-a', 'delete', '--from', backup]), 240_000)
    const again = await holdfast.ended(await holdfast.createActionSet(['-a', 'restore', '--from', backup]), 240_000)
    await world().kubectl(['scale', '-n', app, 'statefulset/db', '--replicas=1'])
    await waitRolledOut(world(), app, 'statefulset/db')

    expect(status?.error?.message).toBe('')
    expect(status?.state).toBe('complete')
    expect(again.status?.state).toBe('failed')
    expect(again.status?.error?.message).toMatch(/snapshot/)
    expect(await ordersDigest(world(), app, 'db-0')).toBe(digest)
  })
})

/** Writes row after row, each in a transaction of its own, without a gap in the numbers. */
async function startWriter(): Promise<void> {
  await sql(world(), app, 'db-0', 'CREATE TABLE written (id int PRIMARY KEY, filling text)')
  const insert = `INSERT INTO written SELECT count(*) + 1, repeat(md5(random()::text), 20) FROM written;`
  await shellIn(
    world(),
    app,
    'db-0',
    `rm -f /tmp/quiet; (while [ ! -e /tmp/quiet ]; do echo "${insert}"; sleep 0.01; done | psql -qX -U postgres -d shop; touch /tmp/ended) >/dev/null 2>&1 </dev/null &`,
  )
  await waitFor('the writer to write', async () => (await writtenRows()) > 10)
}

async function stopWriter(): Promise<void> {
  await shellIn(world(), app, 'db-0', 'touch /tmp/quiet; until [ -e /tmp/ended ]; do sleep 0.1; done')
}

async function writtenRows(): Promise<number> {
  return Number(await sql(world(), app, 'db-0', 'SELECT count(*) FROM written'))
}

/** What a backup must not leave in the pod. The server needs a moment to see that a session has gone. */
async function traces(): Promise<string> {
  const look = async (): Promise<string> => {
    const sessions = await sql(
      world(),
      app,
      'db-0',
      `SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_backup_%' AND pid <> pg_backend_pid()`,
    )
    const slots = await sql(world(), app, 'db-0', `SELECT count(*) FROM pg_replication_slots`)
    const folders = await shellIn(world(), app, 'db-0', 'ls -d /tmp/holdfast-backup 2>/dev/null | wc -l')
    return `${sessions} sessions, ${slots} slots, ${folders.trim()} folders`
  }
  await waitFor('nothing to be left of the backup', async () => (await look()).startsWith('0 sessions, 0 slots'), {
    timeoutMs: 60_000,
  }).catch(() => undefined)
  return look()
}
