import { describe, expect, test } from 'vitest'
import type { ActionSet } from '../../../src/api/actionset.ts'
import type { Blueprint } from '../../../src/api/blueprint.ts'
import type { Schedule } from '../../../src/api/schedule.ts'
import { buildActionSet } from '../../../src/cli/kanctl/create-actionset/build.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'
import { ownImported, planImport, runImport } from '../../../src/recovery/import-catalog.ts'
import { prepareImport } from '../../../src/recovery/prepare-import.ts'
import { type Backup, readBackups } from '../../../src/recovery/read-backups.ts'
import { selectBackups } from '../../../src/recovery/select-backups.ts'
import { takeOver, writersOf } from '../../../src/recovery/takeover.ts'
import { withReadOnly } from '../../../src/store/with-read-only.ts'
import { FakeApi } from '../../build/fake-api.ts'
import { aBucket, aCatalog, aRecord, putRecord } from './a-bucket.ts'

const { signal } = new AbortController()

async function backupsOf(place: Awaited<ReturnType<typeof aBucket>>['place']): Promise<Backup[]> {
  return Array.fromAsync(readBackups(place))
}

function aTarget(api = new FakeApi()) {
  return {
    api,
    target: {
      kube: api.kube(),
      namespace: 'engine',
      profile: { name: 'here', namespace: 'engine' },
      owned: new Set(['mine']),
      signal,
    },
  }
}

describe('an import', () => {
  test('makes Blueprints, and ActionSets that are complete from their first moment', async () => {
    const { place } = await aBucket()
    const { api, target } = aTarget()

    const result = await runImport(target, await planImport(target, await backupsOf(place)))

    expect(result).toEqual({ createdBlueprints: 1, createdActionSets: 2, createdSchedules: 0, present: 0, problems: [] })
    expect(api.read(ownKinds.blueprints, 'engine', 'postgresql')).toMatchObject({ actions: { restore: {} } })
    expect(api.requests.filter(({ verb, resource }) => verb === 'create' && resource === 'actionsets')).toHaveLength(2)
    expect(api.read(ownKinds.actionSets, 'engine', 'backup-1')).toMatchObject({
      metadata: {
        labels: { 'holdfast.dev/imported': 'true' },
        annotations: {
          'holdfast.dev/imported-uid': 'u1aaaaaa',
          'holdfast.dev/imported-installation': 'installation-1',
          'holdfast.dev/imported-cluster': 'cluster-1',
        },
      },
      spec: { actions: [{ name: 'backup', profile: { name: 'here', namespace: 'engine' }, options: { user: 'me' } }] },
      status: { state: 'complete', actions: [{ artifacts: { dump: {} }, phases: [{ name: 'dump', state: 'complete' }] }] },
    })
  })

  test('changes nothing when it is run again, and works from a bucket that can only be read', async () => {
    const { place } = await aBucket()
    const { api, target } = aTarget()
    const readOnly = { ...place, location: withReadOnly(place.location), root: withReadOnly(place.root) }
    await runImport(target, await planImport(target, await backupsOf(readOnly)))
    const before = api.writes('actionsets') + api.writes('blueprints')

    const result = await runImport(target, await planImport(target, await backupsOf(readOnly)))

    expect(result).toMatchObject({ createdBlueprints: 0, createdActionSets: 0, present: 2, problems: [] })
    expect(api.writes('actionsets') + api.writes('blueprints')).toBe(before)
  })

  test('names records that are foreign or broken and brings the rest', async () => {
    const { place, location } = await aBucket()
    await location.put('holdfast/records/shop/statefulset-db/20260101T000300Z-u3-0.json', Buffer.from('{"half": '))
    const { target } = aTarget()

    const result = await runImport(target, await planImport(target, await backupsOf(place)))

    expect(result).toMatchObject({ createdActionSets: 2 })
    expect(result.problems).toEqual([expect.stringContaining('it is not JSON')])
  })

  test('leaves a Blueprint and an ActionSet of the same name alone that are others, and gives its own a suffix', async () => {
    const { place } = await aBucket()
    const { api, target } = aTarget()
    const mine = { apiVersion: 'cr.kanister.io/v1alpha1', metadata: { name: 'postgresql', namespace: 'engine' }, actions: {} }
    api.put(ownKinds.blueprints, { ...mine, kind: 'Blueprint' } as unknown as Blueprint)
    api.put(ownKinds.actionSets, { ...mine, kind: 'ActionSet', metadata: { name: 'backup-1', namespace: 'engine' } } as never)

    await runImport(target, await planImport(target, await backupsOf(place)))

    const blueprints = api.all(ownKinds.blueprints).map(({ metadata }) => metadata.name)
    const imported = api.read(ownKinds.actionSets, 'engine', 'backup-1-u1aaaaaa')
    expect(blueprints).toEqual(['postgresql', expect.stringMatching(/^postgresql-[0-9a-f]{8}$/)])
    expect(imported?.spec?.actions?.[0]?.blueprint).toBe(blueprints[1])
    expect(api.read(ownKinds.actionSets, 'engine', 'backup-1')?.status).toBeUndefined()
  })

  test('puts the actions of one ActionSet together again', async () => {
    const { place, location } = await aBucket()
    const both = { name: 'both', namespace: 'holdfast', uid: 'both0000' }
    for (const index of [1, 0]) {
      const object = { kind: 'StatefulSet', namespace: 'shop', name: `db${index}` }
      await putRecord(location, aRecord(7, { id: `both0000-${index}`, actionSet: both, object }))
    }
    const { api, target } = aTarget()

    await runImport(target, await planImport(target, await backupsOf(place)))

    expect(api.read(ownKinds.actionSets, 'engine', 'both')?.spec?.actions?.map(({ object }) => object?.name)).toEqual([
      'db0',
      'db1',
    ])
  })

  test('does not let a Schedule of this cluster take what another one made for its own', async () => {
    const { place, location } = await aBucket()
    const actionSet = {
      name: 'daily-1',
      namespace: 'holdfast',
      uid: 'daily000',
      labels: { 'holdfast.dev/schedule': 'daily', team: 'a' },
    }
    await putRecord(location, aRecord(8, { id: 'daily000-0', actionSet, schedule: 'daily' }))
    const { api, target } = aTarget()

    await runImport(target, await planImport(target, await backupsOf(place)))

    const { labels, annotations } = api.read(ownKinds.actionSets, 'engine', 'daily-1')?.metadata ?? {}
    expect(labels).toEqual({ team: 'a', 'holdfast.dev/imported': 'true' })
    expect(annotations).toMatchObject({ 'holdfast.dev/imported-schedule': 'daily' })
  })
})

describe('Schedules of a catalog', () => {
  const scheduled = (index: number, more: { readonly cron?: string; readonly namespace?: string; readonly id?: string } = {}) =>
    aRecord(index, {
      schedule: 'nightly',
      installation: { id: more.id ?? 'installation-1', cluster: 'cluster-1' },
      scheduleManifest: {
        apiVersion: 'holdfast.dev/v1alpha1',
        kind: 'Schedule',
        metadata: { name: 'nightly', namespace: more.namespace ?? 'holdfast', labels: { team: 'a' } },
        spec: {
          cron: more.cron ?? '@daily',
          action: { blueprint: 'postgresql', profile: { name: 'p', namespace: 'holdfast' } },
          retention: { keepLast: 3 },
        },
      },
    })

  test('come suspended, as the newest record has them, and say where they came from', async () => {
    const { place, location } = await aCatalog()
    for (const record of [scheduled(5, { cron: '@weekly' }), scheduled(9), scheduled(7, { cron: '@hourly' })])
      await putRecord(location, record)
    const { api, target } = aTarget()

    const result = await runImport(target, await planImport(target, await backupsOf(place)))

    expect(result).toMatchObject({ createdSchedules: 1, problems: [] })
    expect(api.read(ownKinds.schedules, 'engine', 'nightly')).toMatchObject({
      metadata: {
        labels: { team: 'a' },
        annotations: {
          'holdfast.dev/imported-installation': 'installation-1',
          'holdfast.dev/imported-cluster': 'cluster-1',
          'holdfast.dev/imported-namespace': 'holdfast',
          'holdfast.dev/imported-records': expect.stringContaining('u9aaaaaa'),
        },
      },
      spec: {
        cron: '@daily',
        suspend: true,
        action: { blueprint: 'postgresql', profile: { name: 'here', namespace: 'engine' } },
        retention: { keepLast: 3 },
      },
    })
  })

  test('leave one of their name alone, also one that somebody has set going', async () => {
    const { place, location } = await aCatalog()
    await putRecord(location, scheduled(5))
    const { api, target } = aTarget()
    await runImport(target, await planImport(target, await backupsOf(place)))
    const imported = api.read(ownKinds.schedules, 'engine', 'nightly') as Schedule
    api.put(ownKinds.schedules, { ...imported, spec: { ...imported.spec, suspend: false } })

    const result = await runImport(target, await planImport(target, await backupsOf(place)))

    expect(result).toMatchObject({ createdSchedules: 0, problems: [] })
    expect(api.read(ownKinds.schedules, 'engine', 'nightly')?.spec.suspend).toBe(false)
  })

  test('of one name in two places: the one that was used last comes, and the other is named', async () => {
    const { place, location } = await aCatalog()
    await putRecord(location, scheduled(5, { namespace: 'tenant', cron: '@hourly' }))
    await putRecord(location, scheduled(6))
    const { api, target } = aTarget()

    const result = await runImport(target, await planImport(target, await backupsOf(place)))

    expect(api.read(ownKinds.schedules, 'engine', 'nightly')?.spec.cron).toBe('@daily')
    expect(result.problems).toEqual([expect.stringMatching(/Schedule nightly of namespace tenant.*make this one by hand/)])
  })

  test('stay away when they are not wanted', async () => {
    const { place, location } = await aCatalog()
    await putRecord(location, scheduled(5))
    const { target } = aTarget()

    expect((await planImport({ ...target, schedules: false }, await backupsOf(place))).schedules).toEqual([])
  })
})

describe('a selection', () => {
  const named = (backups: readonly Backup[]): (string | undefined)[] => backups.map(({ record }) => record?.actionSet.name)

  test('takes namespaces, names, and the newest of each object', async () => {
    const { place, location } = await aCatalog()
    await putRecord(location, aRecord(3, { object: { kind: 'StatefulSet', name: 'db', namespace: 'blog' } }))
    await putRecord(location, aRecord(4, { object: { kind: 'Deployment', name: 'web', namespace: 'shop' } }))
    const backups = await backupsOf(place)

    expect(named(selectBackups(backups, { namespaces: ['blog'] }))).toEqual(['backup-3'])
    expect(named(selectBackups(backups, { names: ['web', 'nothing'] }))).toEqual(['backup-4'])
    expect(named(selectBackups(backups, { newestOnly: true }))).toEqual(['backup-3', 'backup-4', 'backup-2'])
    expect(named(selectBackups(backups, { namespaces: ['shop'], names: ['db'], newestOnly: true }))).toEqual(['backup-2'])
    expect(selectBackups(backups, {})).toEqual(backups)
  })

  test('takes an ActionSet as a whole, so that none comes in parts', async () => {
    const { place, location } = await aCatalog()
    const both = { name: 'both', namespace: 'holdfast', uid: 'both0000' }
    for (const index of [0, 1]) {
      const object = { kind: 'StatefulSet', namespace: `shop${index}`, name: 'db' }
      await putRecord(location, aRecord(7, { id: `both0000-${index}`, actionSet: both, object }))
    }

    expect(named(selectBackups(await backupsOf(place), { namespaces: ['shop1'] }))).toEqual(['both', 'both'])
  })
})

test('what is imported after a takeover is owned at once, and so is what an earlier import brought', async () => {
  const { place } = await aCatalog()
  const { api, target } = aTarget()
  const labels = (): unknown[] => api.all(ownKinds.actionSets).map(({ metadata }) => metadata.labels?.['holdfast.dev/imported'])
  await runImport(target, await planImport(target, (await backupsOf(place)).slice(0, 1)))
  expect(labels()).toEqual(['true'])
  const [writer] = await writersOf(place, await backupsOf(place), signal)
  if (!writer) throw new Error('nobody wrote')
  await takeOver(place, writer, { to: 'mine', nowMs: Date.UTC(2026, 1, 1), force: false, signal })

  const prepared = await prepareImport(place, { ...target, installation: 'mine' })
  await runImport(prepared.target, prepared.plan)

  expect(prepared).toMatchObject({ records: 2, locked: 0, writers: [{ owner: 'mine' }] })
  expect(labels()).toEqual(['owned', 'owned'])
})

test('what was imported is deleted by nobody until its installation was taken over', async () => {
  const { place } = await aBucket()
  const { api, target } = aTarget()
  await runImport(target, await planImport(target, await backupsOf(place)))
  const request = { action: 'delete', parent: 'backup-1', objects: [] } as never
  const parent = (): ActionSet => api.read(ownKinds.actionSets, 'engine', 'backup-1') as ActionSet

  expect(() => buildActionSet(request, parent(), 'x')).toThrow(/belongs to another installation.*holdfast dr takeover/)
  expect(await ownImported(target, new Set(['somebody else']))).toBe(0)
  expect(await ownImported(target, new Set(['installation-1']))).toBe(2)
  expect(() => buildActionSet(request, parent(), 'x')).not.toThrow(/another installation/)
})

describe('a takeover', () => {
  const lastMs = Date.UTC(2026, 0, 1) + 2 * 60_000 + 10_000

  test('shows who wrote last, and is refused while that may still live', async () => {
    const { place } = await aBucket()
    const [writer] = await writersOf(place, await backupsOf(place), signal)

    expect(writer).toMatchObject({ installation: 'installation-1', cluster: 'cluster-1', backups: 2, owner: 'installation-1' })
    if (!writer) return
    const request = { to: 'installation-2', nowMs: lastMs + 3600_000, force: false, signal }
    await expect(takeOver(place, writer, request)).rejects.toMatchObject({ code: 'RECOVERY_FOREIGN' })
  })

  test('makes the new installation the owner, for everybody who has the key', async () => {
    const { place } = await aBucket()
    const [writer] = await writersOf(place, await backupsOf(place), signal)
    if (!writer) throw new Error('nobody wrote')

    await takeOver(place, writer, { to: 'installation-2', nowMs: lastMs + 48 * 3600_000, force: false, signal })

    expect((await writersOf(place, await backupsOf(place), signal))[0]).toMatchObject({ owner: 'installation-2' })
  })

  test('counts for nothing when somebody without the key wrote it', async () => {
    const { place, location } = await aBucket()
    const takeover = { from: 'installation-1', to: 'thief', at: '2026-02-01T00:00:00Z' }
    const forged = { format: 'holdfast.dev/catalog-takeover', version: 1, takeover, signature: 'ab' }
    await location.put('holdfast/takeovers/installation-1/x.json', Buffer.from(JSON.stringify(forged)))

    await expect(writersOf(place, await backupsOf(place), signal)).rejects.toMatchObject({ code: 'CATALOG_ALTERED' })
  })
})
