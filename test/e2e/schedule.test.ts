import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ActionSet } from '../../src/api/actionset.ts'
import type { Schedule } from '../../src/api/schedule.ts'
import { checkChain, readChain } from '../../src/catalog/chain-store.ts'
import type { Catalog } from '../../src/catalog/open-catalog.ts'
import { openKube } from '../../src/kube/open.ts'
import { catalogOpener } from '../../src/main/open-catalog.ts'
import { StorePool } from '../../src/store/store-pool.ts'
import { run } from '../harness/machine/command.ts'
import { listKeys } from '../harness/world/bucket.ts'
import { useBucket, useNamespace, useWorld, withS3 } from '../harness/world/fixtures.ts'
import { engineNamespace, useInstallation } from '../harness/world/installation.ts'
import { apply, waitRolledOut } from '../harness/world/objects.ts'
import { postgresObjects, sql } from '../harness/world/postgres.ts'
import { blueprintOf, shellApp } from '../harness/world/shell-app.ts'
import { waitFor } from '../harness/world/wait-for.ts'

const world = useWorld()
const holdfast = useInstallation(world)
const app = useNamespace(world, 'app')
const bucket = useBucket(world)
const profile = `e2e-${bucket}`
const schedule = `each-minute-${bucket.slice(-8)}`
const note = `note-${bucket.slice(-8)}`
const blueprint = readFileSync(resolve(import.meta.dirname, '../../blueprints/postgresql/logical.yaml'), 'utf8')
const db = { kind: 'statefulset', name: 'db', namespace: app }
const sleeper = shellApp('sleeper')
const long = { timeoutMs: 180_000 }

const writing = new AbortController()
let load: Promise<void> = Promise.resolve()

/**
 * A Schedule of each minute is watched for one minute and then suspended. The two backups before carry its label, so the one that it makes
 * is the third, one more than its retention keeps.
 */
beforeAll(async () => {
  await world().image('postgres')
  await world().image('debian')
  await apply(world(), engineNamespace, blueprint, noteBlueprint())
  await holdfast.profile(profile, world().s3, bucket)
  await apply(world(), app, ...postgresObjects(), { ...sleeper, spec: { ...(sleeper['spec'] as object), replicas: 0 } })
  await apply(world(), app, withAnnotation(shellApp('late'), { 'holdfast.dev/blueprint': note }))
  await waitRolledOut(world(), app, 'statefulset/db', 180_000)
  await sql(world(), app, 'db-0', 'CREATE TABLE orders (id serial PRIMARY KEY, customer text); CREATE TABLE big (bytes bytea);')
  load = writeOrders()
  for (const turn of [1, 2]) {
    // What only the first holds is what its removal gives back.
    await sql(
      world(),
      app,
      'db-0',
      `TRUNCATE big; INSERT INTO big SELECT sha512((n || '-${turn}')::bytea) FROM generate_series(1, 40000) n`,
    )
    const args = ['-a', 'backup', '-b', 'postgresql', '-t', `${app}/db`, '-p', profile]
    expect((await holdfast.ended(await holdfast.createActionSet(args, ofSchedule))).status?.error?.message).toBe('')
  }
}, 600_000)

afterAll(async () => {
  writing.abort()
  await load
  const remove = ['delete', '-n', engineNamespace, '--ignore-not-found', '--wait=false']
  await world().kubectl([...remove, 'schedules.holdfast.dev', schedule])
  await world().kubectl([...remove, 'actionsets', '-l', `holdfast.dev/schedule=${schedule}`])
  await world().kubectl([...remove, 'actionsets', '-l', `holdfast.dev/retention=${schedule}`])
})

describe('a PostgreSQL that is written to, under a Schedule of each minute', () => {
  let oldest = ''
  let slot: ActionSet

  test('is backed up by itself, and so is what gets the label later; the operator is killed meanwhile', async () => {
    oldest = (await records()).at(0) ?? ''
    await label('db')
    await label('sleeper')
    await apply(world(), engineNamespace, {
      apiVersion: 'holdfast.dev/v1alpha1',
      kind: 'Schedule',
      metadata: { name: schedule },
      spec: {
        cron: '* * * * *',
        action: { blueprint: 'postgresql', profile: { name: profile, namespace: engineNamespace } },
        class: {},
        retention: { keepLast: 2 },
      },
    })
    await label('late')
    await waitFor('three objects under the Schedule', async () => (await seen()).status?.objectCount === 3, long)

    const made = await waitFor(
      'ActionSets of the first slot',
      async () => {
        const all = (await actionSetsOf('schedule')).filter(isOfSlot)
        return ['db', 'late'].every((name) => all.some((each) => objectOf(each) === name)) && all
      },
      long,
    )
    await waitFor(
      'word of the slot that is passed over',
      async () => (await holdfast.events(schedule, 'Warning')).length > 0,
      long,
    )
    await suspend()
    slot = made.find((each) => objectOf(each) === 'db') as ActionSet
    await killOperator()
    for (const { metadata } of made) expect((await holdfast.ended(metadata.name, 180_000)).status?.error?.message).toBe('')
  }, 400_000)

  test('loses its oldest backup by the delete action, with its bytes; the operator is killed between the steps', async () => {
    await waitFor('the record', async () => (await records()).some((key) => key.includes(slot.metadata.uid ?? '?')), long)
    await killOperator()
    const removal = await waitFor('the removal to begin', async () => (await actionSetsOf('retention'))[0], long)
    await killOperator()
    const ended = await holdfast.ended(removal.metadata.name, 180_000)
    await killOperator()
    await waitFor('the record to be gone', async () => !(await records()).includes(oldest), long)
    await waitFor('status to say so', async () => (await seen()).status?.retention?.kept === 3, long)

    expect(ended.status).toMatchObject({ state: 'complete', error: { message: '' } })
    expect(ended.status?.actions?.[0]?.phases?.[0]?.output?.['spaceFreed']).toMatch(/^[1-9].* MiB$/)
    expect(await actionSetsOf('retention')).toHaveLength(1)
    expect(await records()).toHaveLength(2)
    expect((await seen()).status?.retention).toMatchObject({ removing: 0, failing: 0, message: '' })
  }, 600_000)

  test('has a chain that says what happened, each thing once, and fits what is there', async () => {
    const catalog = await openCatalog()
    const place = { ...catalog, object: db }
    const links = await readChain(place)

    expect(links.map(({ kind }) => kind)).toEqual(['record', 'record', 'record', 'tombstone'])
    expect(links.at(-1)?.record).toBe(links[0]?.record)
    expect(new Set(links.slice(0, 3).map(({ record }) => record)).size).toBe(3)
    expect(await checkChain(place)).toEqual([])
  })

  test('passes over what is scaled to zero, and says why in an Event', async () => {
    const { status } = await seen()
    expect(status?.objects?.[`${app}/statefulset/sleeper`]?.skipped?.count).toBeGreaterThan(0)
    expect(await holdfast.events(schedule, 'Warning')).toContainEqual(
      expect.stringMatching(/^SlotSkipped: .*sleeper.* it is scaled to zero/),
    )
    expect((await actionSetsOf('schedule')).filter((each) => objectOf(each) === 'sleeper')).toEqual([])
  })

  test('runs each slot once, and none while it is suspended', { timeout: 240_000 }, async () => {
    const all = (await actionSetsOf('schedule')).filter(isOfSlot)
    const slots = all.map((each) => `${objectOf(each)} ${each.metadata.annotations?.['holdfast.dev/slot'] ?? ''}`)
    expect(new Set(slots).size).toBe(slots.length)
    const last = Date.parse(slot.metadata.annotations?.['holdfast.dev/slot'] ?? '')
    const handled = async (): Promise<number> =>
      Date.parse((await seen()).status?.objects?.[`${app}/statefulset/db`]?.handled ?? '')
    await waitFor('a slot to pass', async () => (await handled()) > last, long)
    const after = (await actionSetsOf('schedule')).filter(isOfSlot)
    expect(after.map(({ metadata }) => metadata.name).toSorted()).toEqual(all.map(({ metadata }) => metadata.name).toSorted())
  })

  test('shows what became of it', async () => {
    const { status } = await seen()
    expect(status).toMatchObject({ message: '', objectCount: 3, lastSuccess: expect.any(String), neverSucceeded: 1 })
    expect(status?.objects?.[`${app}/statefulset/db`]).toMatchObject({
      last: { actionSet: slot.metadata.name, state: 'complete' },
      lastSuccess: expect.any(String),
    })
    const [head = '', row = ''] = (await world().kubectl(['get', 'schedules', '-n', engineNamespace, schedule])).split('\n')
    expect(head.split(/ {2,}/)).toEqual([
      'NAME',
      'CRON',
      'SUSPENDED',
      'OBJECTS',
      'LAST SUCCESS',
      'WORST',
      'PROVEN',
      'LAST FAILURE',
      'NEXT RUN',
    ])
    expect(row).toMatch(new RegExp(`^${schedule} +\\* \\* \\* \\* \\* +true +3 `))
    const events = await holdfast.events(schedule, 'Normal')
    expect(events).toContainEqual(expect.stringMatching(/^RemovingBackup: .*no rule keeps it/))
    expect(events).toContainEqual(expect.stringMatching(/^RemovedBackup: /))
  })
})

describe('the command line', () => {
  const place = ['--profile', `${engineNamespace}/${profile}`, '-n', engineNamespace]

  test('says why each backup stays, pins one, and finds the catalog to fit what is there', async () => {
    expect(await cli('retention', 'plan', schedule, '-n', engineNamespace)).toMatch(/statefulset\/db .* keep +last/)
    const [newest = ''] = (await records()).slice(-1)
    const [, id = ''] = /\d{8}T\d{6}Z-(.+)\.json$/.exec(newest) ?? []
    expect(await cli('backup', 'pin', id, '--reason', 'audit', ...place)).toContain('stays: audit')
    expect(await cli('retention', 'plan', schedule, '-n', engineNamespace)).toContain('pinned: audit')
    expect(await cli('backup', 'unpin', id, ...place)).toContain(id)
    expect(JSON.parse(await cli('catalog', 'check', ...place, '-o', 'json'))).toMatchObject({ strays: [], doubts: [] })
  })

  test('a backup that is deleted by hand leaves the catalog too', async () => {
    const args = ['get', 'actionsets', '-n', engineNamespace, '-l', `holdfast.dev/schedule=${schedule}`, '-o', 'json']
    const all = (JSON.parse(await world().kubectl(args)) as { readonly items: readonly ActionSet[] }).items
    const [newest = ''] = (await records()).slice(-1)
    const parent = all.find(({ metadata }) => newest.includes(metadata.uid ?? '?'))?.metadata.name ?? ''
    const deletion = await holdfast.createActionSet(['-a', 'delete', '--from', parent])
    expect((await holdfast.ended(deletion)).status?.error?.message).toBe('')
    await waitFor('the record to be gone', async () => !(await records()).includes(newest), long)

    const place = { ...(await openCatalog()), object: db }
    expect((await readChain(place)).at(-1)).toMatchObject({ kind: 'tombstone', note: `deleted by ActionSet ${deletion}` })
    expect(await checkChain(place)).toEqual([])
  })
})

function cli(...words: string[]): Promise<string> {
  return run(process.execPath, [resolve(import.meta.dirname, '../../src/main/holdfast.ts'), ...words], {
    env: { KUBECONFIG: world().kubeconfig },
  })
}

function ofSchedule(actionSet: ActionSet): ActionSet {
  return { ...actionSet, metadata: { ...actionSet.metadata, labels: { 'holdfast.dev/schedule': schedule } } }
}

function isOfSlot({ metadata }: ActionSet): boolean {
  return metadata.annotations?.['holdfast.dev/slot'] !== undefined
}

function objectOf({ spec }: ActionSet): string {
  return spec?.actions?.[0]?.object?.name ?? ''
}

function noteBlueprint(): ReturnType<typeof blueprintOf> {
  const exec = (name: string): { func: string; name: string; args: Record<string, unknown> } => ({
    func: 'KubeExec',
    name,
    args: {
      namespace: '{{ .StatefulSet.Namespace }}',
      pod: '{{ index .StatefulSet.Pods 0 }}',
      container: 'shell',
      command: ['sh', '-c', 'date >> /data/log'],
    },
  })
  return blueprintOf(note, {
    backup: {
      type: 'StatefulSet',
      outputArtifacts: { note: { keyValue: { place: 'log' } } },
      phases: [exec('write')],
    },
    delete: { type: 'StatefulSet', inputArtifactNames: ['note'], phases: [exec('remove')] },
  })
}

function withAnnotation(object: ReturnType<typeof shellApp>, annotations: Record<string, string>): ReturnType<typeof shellApp> {
  return { ...object, metadata: { ...object.metadata, annotations } }
}

async function writeOrders(): Promise<void> {
  const insert = `INSERT INTO orders (customer) SELECT md5(random()::text) FROM generate_series(1, 200)`
  while (!writing.signal.aborted) await sql(world(), app, 'db-0', insert).catch(() => undefined)
}

async function label(name: string): Promise<void> {
  await world().kubectl(['label', 'statefulset', '-n', app, name, `holdfast.dev/policy=${schedule}`])
}

async function suspend(): Promise<void> {
  const patch = JSON.stringify({ spec: { suspend: true } })
  await world().kubectl(['patch', 'schedules', '-n', engineNamespace, schedule, '--type=merge', '-p', patch])
}

async function seen(): Promise<Schedule> {
  return JSON.parse(await world().kubectl(['get', 'schedules', '-n', engineNamespace, schedule, '-o', 'json'])) as Schedule
}

async function actionSetsOf(label: 'schedule' | 'retention'): Promise<readonly ActionSet[]> {
  const args = ['get', 'actionsets', '-n', engineNamespace, '-l', `holdfast.dev/${label}=${schedule}`, '-o', 'json']
  return (JSON.parse(await world().kubectl(args)) as { readonly items: readonly ActionSet[] }).items
}

/** Of the database, oldest first. */
async function records(): Promise<string[]> {
  const keys = await withS3(world().s3, (client) => listKeys(client, bucket))
  return keys.filter((key) => key.startsWith(`holdfast/records/${app}/statefulset-db/`))
}

/** As hard as Kubernetes can: no time to say goodbye. */
async function killOperator(): Promise<void> {
  const label = ['-l', 'app.kubernetes.io/name=holdfast-operator']
  await world().kubectl(['delete', 'pod', '-n', engineNamespace, ...label, '--force', '--grace-period=0'])
}

async function openCatalog(): Promise<Catalog> {
  const kube = await openKube({ env: { KUBECONFIG: world().kubeconfig } })
  const stores = new StorePool()
  const namespace = await world().kubectl(['get', 'namespace', engineNamespace, '-o', 'jsonpath={.metadata.uid}'])
  const open = catalogOpener(kube, engineNamespace, namespace, stores)
  return await open({ name: profile, namespace: engineNamespace }, AbortSignal.timeout(60_000))
}
