import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CommandResult, runFully } from '../harness/machine/command.ts'
import { listKeys } from '../harness/world/bucket.ts'
import { engineNamespace, installHoldfast, useInstallation } from '../harness/world/installation.ts'
import { useBucket, useNamespace, useWorld, withS3 } from '../harness/world/fixtures.ts'
import { apply, findObject, waitRolledOut } from '../harness/world/objects.ts'
import { fillOrders, ordersDigest, postgresObjects } from '../harness/world/postgres.ts'
import { waitFor } from '../harness/world/wait-for.ts'

const root = resolve(import.meta.dirname, '../..')
const world = useWorld()
const holdfast = useInstallation(world)
const app = useNamespace(world, 'app')
const bucket = useBucket(world)
const blueprint = readFileSync(join(root, 'blueprints/postgresql/logical.yaml'), 'utf8')
const profile = `dr-${bucket}`
const folder = mkdtempSync(join(tmpdir(), 'holdfast-disaster-'))
const keyFile = join(folder, 'recovery.key')
let [backup, digest, location] = ['', '', '']

/** The command line, as somebody types it. */
async function cli(words: readonly string[], accept: readonly number[] = [0]): Promise<CommandResult> {
  const { s3, kubeconfig } = world()
  const env = {
    KUBECONFIG: kubeconfig,
    AWS_ACCESS_KEY_ID: s3.accessKey,
    AWS_SECRET_ACCESS_KEY: s3.secretKey,
    AWS_REGION: s3.region,
  }
  return runFully(process.execPath, [join(root, 'src/main/holdfast.ts'), ...words], { env, accept })
}

beforeAll(async () => {
  await world().image('postgres')
  await apply(world(), engineNamespace, blueprint)
  await holdfast.profile(profile, world().s3, bucket, 'some/prefix')
  await apply(world(), app, ...postgresObjects())
  await waitRolledOut(world(), app, 'statefulset/db', 240_000)
  digest = await fillOrders(world(), app, 'db-0', 50_000)
  backup = await holdfast.createActionSet(['-a', 'backup', '-b', 'postgresql', '-t', `${app}/db`, '-p', profile])
  const { status } = await holdfast.ended(backup, 240_000)
  expect(status?.error?.message).toBe('')
  location = `s3:${world().s3.endpoint}/${bucket}/some/prefix`
  await cli(['key', 'export', '-n', engineNamespace, '--to-file', keyFile])
  const linked = async (): Promise<boolean> =>
    (await withS3(world().s3, (client) => listKeys(client, bucket))).some((key) => key.includes('/holdfast/chain/'))
  await waitFor('the backup to stand in the chain', linked, { timeoutMs: 120_000 })
}, 900_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const here = (): string[] => ['--location', location, '--recovery-key-file', keyFile]
const byProfile = ['--profile', profile, '-n', engineNamespace]

describe('with bucket and key alone', () => {
  test('the backup is listed, found sound and downloaded, and pg_restore reads it', async () => {
    const listed = JSON.parse((await cli(['backup', 'list', ...here(), '-o', 'json'])).stdout) as unknown
    const verified = await cli(['backup', 'verify', '--all', '--read-data', ...here()])
    const file = join(folder, 'db.pgdump')
    await cli(['backup', 'download', backup, ...here(), '--to', file])
    const { status } = await holdfast.get(backup)

    expect(listed).toMatchObject([{ application: `${app}/statefulset/db`, name: backup, blueprint: 'postgresql' }])
    expect(verified.stdout).toContain('1 of 1 backups sound')
    expect(createHash('sha256').update(readFileSync(file)).digest('hex')).toBe(
      status?.actions?.[0]?.artifacts?.['dump']?.keyValue?.['sha256'],
    )
    expect(readFileSync(file).subarray(0, 5).toString()).toBe('PGDMP')
  })

  test.each<[string, RegExp, 'remove' | 'truncate' | 'alter', RegExp]>([
    ['a record that was removed', /\/holdfast\/records\//, 'remove', /DAMAGE .*is gone, and nothing says that it was removed/],
    ['a record that was truncated', /\/holdfast\/records\//, 'truncate', /DAMAGE .*is not a record/],
    ['a record that was altered', /\/holdfast\/records\//, 'alter', /DAMAGE/],
    ['a link that was altered', /\/holdfast\/chain\//, 'alter', /DAMAGE/],
    ['a snapshot that was removed', /\/snapshots\//, 'remove', /DAMAGE .*no such snapshot/],
    ['a pack that was removed', /\/data\//, 'remove', /DAMAGE/],
    ['a pack that was truncated', /\/data\//, 'truncate', /DAMAGE/],
    ['a pack that was altered', /\/data\//, 'alter', /DAMAGE/],
  ])('verify names %s', async (_what, place, kind, message) => {
    const restore = await damage(place, kind)
    try {
      const { stdout, code } = await cli(['backup', 'verify', '--all', '--read-data', ...here()], [0, 3])

      expect(stdout).toMatch(message)
      expect(code).toBe(3)
    } finally {
      await restore()
    }
  })
})

/** Damages the last object whose key fits; gives what makes it whole again. */
async function damage(place: RegExp, kind: 'remove' | 'truncate' | 'alter'): Promise<() => Promise<void>> {
  return withS3(world().s3, async (client) => {
    const key = (await listKeys(client, bucket)).findLast((one) => place.test(one)) ?? ''
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
    const bytes = Buffer.from((await Body?.transformToByteArray()) ?? [])
    const bad = Buffer.from(kind === 'truncate' ? bytes.subarray(0, -7) : bytes)
    if (kind === 'alter') bad.writeUInt8(bad.readUInt8(Math.floor(bad.length / 2)) ^ 1, Math.floor(bad.length / 2))
    if (kind === 'remove') await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }))
    else await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: bad }))
    return () =>
      withS3(
        world().s3,
        async (again) => void (await again.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes }))),
      )
  })
}

describe('when the cluster is gone', () => {
  beforeAll(async () => {
    for (const namespace of [app, engineNamespace]) {
      await world().kubectl(['delete', 'namespace', namespace, '--wait=false'])
      await world().kubectl(['delete', 'pods', '--all', '-n', namespace, '--grace-period=0', '--force', '--wait=false'])
    }
    for (const namespace of [app, engineNamespace])
      await world().kubectl(['wait', '--for=delete', `namespace/${namespace}`, '--timeout=240s'])
    const crds = (await world().kubectl(['get', 'crd', '-o', 'name']))
      .split('\n')
      .filter((name) => /kanister|holdfast/.test(name))
    await world().kubectl(['delete', ...crds, '--timeout=120s'])
  }, 600_000)

  test('engine, credentials and key come first, as on the page for that night', async () => {
    await installHoldfast(world())
    await holdfast.profile(profile, world().s3, bucket, 'some/prefix')

    const { stdout } = await cli(['key', 'import', '-n', engineNamespace, keyFile])

    expect(stdout).toMatch(/recovery key [0-9a-f]{8} imported/)
  })

  test('the catalog comes back as complete ActionSets, none of which runs, and a second time changes nothing', async () => {
    const plan = await cli(['dr', 'import', ...byProfile, '--plan'])
    const first = await cli(['dr', 'import', ...byProfile])
    const second = await cli(['dr', 'import', ...byProfile])
    const seen = await findObject(world(), engineNamespace, `actionset/${backup}`)

    expect(plan.stdout).toContain(`create   ActionSet ${backup}`)
    expect(first.stdout).toContain('1 Blueprints and 1 ActionSets imported')
    expect(second.stdout).toContain('0 Blueprints and 0 ActionSets imported, 1 were there, 0 problems')
    expect(seen).toMatchObject({ status: { state: 'complete' }, metadata: { labels: { 'holdfast.dev/imported': 'true' } } })
    expect(await world().kubectl(['get', 'runs', '-n', engineNamespace, '-o', 'name'])).toBe('')
  })

  test('the plan names what would make the restore fail, and nothing is touched', async () => {
    const { stdout } = await cli(['backup', 'restore', backup, ...byProfile, '--plan'], [5])
    const refused = await cli(['backup', 'restore', backup, ...byProfile, '--storage-class', 'x=y'], [5])

    expect(stdout).toContain(`create  Namespace ${app}`)
    expect(stdout).toContain(`create  StatefulSet ${app}/db`)
    expect(stdout).toMatch(/BLOCKER {2}secret-missing: Secret .*\/db, which the pods need/)
    expect(refused.stderr).toContain('nothing was touched')
    expect(await world().kubectl(['get', 'namespace', app, '--ignore-not-found'])).toBe('')
  })

  test('the application comes back, manifests first, with every row it had', async () => {
    const secret = postgresObjects().filter(({ kind }) => kind === 'Secret')
    await world().kubectl(['create', 'namespace', app])
    await apply(world(), app, ...secret)

    const { stdout } = await cli(['backup', 'restore', backup, ...byProfile, '--wait', '-o', 'json'])

    const done = JSON.parse(stdout) as { readonly seconds: number; readonly expectedSeconds: number }
    console.log(`restored in ${done.seconds.toFixed(1)} s, forecast ${done.expectedSeconds} s`)
    expect(await ordersDigest(world(), app, 'db-0')).toBe(digest)
  })

  test('a second restore is refused, since the data of what is there would be overwritten', async () => {
    const { stderr } = await cli(['backup', 'restore', backup, ...byProfile], [5])

    expect(stderr).toContain('target-exists')
    expect(stderr).toContain('volume-exists')
  })

  test('everything comes back at once, into what is there, with its time', async () => {
    const { stdout } = await cli(['dr', 'restore-all', '--all', ...byProfile, '--into-existing'])

    expect(stdout).toMatch(/1 of 1 applications back after [\d.]+ s \(expected \d+ s\)/)
    expect(await ordersDigest(world(), app, 'db-0')).toBe(digest)
  })

  test('backups of the installation before are taken over only when somebody says so', async () => {
    const shown = await cli(['dr', 'takeover', ...byProfile])
    const refused = await cli(['dr', 'takeover', ...byProfile, '--yes'], [7])
    const done = await cli(['dr', 'takeover', ...byProfile, '--yes', '--force'])

    expect(shown.stdout).toMatch(/INSTALLATION .*\n[0-9a-f-]{36} /)
    expect(refused.stderr).toContain('less than a day ago')
    expect(done.stdout).toContain('are owned by this one')
  })
})
