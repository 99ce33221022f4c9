import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { CatalogImport } from '../../../../src/api/catalog-import.ts'
import { CatalogImportController } from '../../../../src/controllers/catalog-import/controller.ts'
import { kubeError } from '../../../../src/kube/errors.ts'
import { ownKinds } from '../../../../src/kube/own-kinds.ts'
import type { RecoveryPlace } from '../../../../src/recovery/place.ts'
import { withReadOnly } from '../../../../src/store/with-read-only.ts'
import { storeError } from '../../../../src/store/errors.ts'
import { silentLogger } from '../../../../src/telemetry/logger.ts'
import { FakeApi, type FakeProcess } from '../../../build/fake-api.ts'
import { settled, TurnedClock } from '../../../build/turned-clock.ts'
import { aCatalog, aRecord, putRecord } from '../../recovery/a-bucket.ts'

let api: FakeApi
let clock: TurnedClock
let place: RecoveryPlace
let location: RecoveryPlace['location']
let controller: CatalogImportController
/** What opening the place answers instead. */
let trouble: (() => RecoveryPlace) | undefined

beforeEach(async () => {
  api = new FakeApi()
  clock = new TurnedClock(Date.UTC(2026, 5, 1))
  trouble = undefined
  const bucket = await aCatalog()
  location = bucket.location
  place = { ...bucket.place, root: withReadOnly(bucket.place.root), location: withReadOnly(bucket.location) }
  start()
})
afterEach(() => controller.close())

function start(process: FakeProcess = {}, namespace = 'engine'): void {
  const kube = api.kube(process)
  controller = new CatalogImportController({
    kube,
    openPlace: async () => trouble?.() ?? place,
    events: kube.eventSink('test'),
    clock,
    log: silentLogger,
    namespace,
    engineNamespace: 'engine',
    installation: 'mine',
  })
  void controller.start()
}

async function ask(spec: Partial<CatalogImport['spec']> = {}): Promise<void> {
  const made = {
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'CatalogImport' as const,
    metadata: { name: 'all', namespace: 'engine' },
    spec: { profile: { name: 'here' }, ...spec },
  }
  const before = api.read(ownKinds.catalogImports, 'engine', 'all')
  api.put(ownKinds.catalogImports, (before ? { ...before, spec: made.spec } : made) as CatalogImport)
  await done()
}

/** Seals and opens records, which takes its time beside the clock. */
async function done(): Promise<void> {
  for (let look = 0; look < 50; look++) {
    await settled()
    const { state } = status()
    if (state !== undefined && state !== 'running') return
  }
}

const status = (): NonNullable<CatalogImport['status']> => api.read(ownKinds.catalogImports, 'engine', 'all')?.status ?? {}
const imported = (): string[] => api.all(ownKinds.actionSets).map(({ metadata }) => metadata.name)

describe('a CatalogImport', () => {
  test('brings the catalog, says what it found and who wrote there, and then rests', async () => {
    await ask()

    expect(status()).toMatchObject({
      state: 'complete',
      records: 2,
      created: { blueprints: 1, actionSets: 2, schedules: 0 },
      present: 0,
      problemCount: 0,
      problems: [],
      writers: [{ installation: 'installation-1', cluster: 'cluster-1', backups: 2, owner: 'installation-1', owned: false }],
    })
    expect(status().nextAt).toBeUndefined()
    expect(imported()).toEqual(['backup-1', 'backup-2'])
    expect(api.events.map(({ reason }) => reason)).toEqual(['Imported'])
    const before = api.requests.length
    await clock.turnTo(clock.now() + 24 * 3_600_000)
    expect(api.requests.length).toBe(before)
  })

  test('is done anew when it says something else, and finds what is there', async () => {
    await ask({ selector: { newestOnly: true } })
    expect(imported()).toEqual(['backup-2'])

    await ask({})

    expect(status()).toMatchObject({ created: { blueprints: 0, actionSets: 1 }, present: 2, attempts: 1 })
    expect(imported()).toEqual(['backup-2', 'backup-1'])
  })

  test('with dryRun says what would be made, and makes nothing', async () => {
    await ask({ dryRun: true })

    expect(status()).toMatchObject({ state: 'complete', message: expect.stringContaining('nothing was made') })
    expect(status().created).toEqual({ blueprints: 1, actionSets: 2, schedules: 0 })
    expect(imported()).toEqual([])
  })

  test('brings Schedules suspended, unless they are not wanted', async () => {
    const metadata = { name: 'nightly', namespace: 'holdfast' }
    await putRecord(location, aRecord(3, { schedule: 'nightly', scheduleManifest: { metadata, spec: { cron: '@daily' } } }))
    await ask({ schedules: false })
    expect(api.all(ownKinds.schedules)).toEqual([])

    await ask({ schedules: true })

    expect(status().created?.schedules).toBe(1)
    expect(api.all(ownKinds.schedules)[0]?.spec).toMatchObject({ cron: '@daily', suspend: true })
  })

  test('names what is broken in the bucket, a bounded part of it, and brings the rest', async () => {
    for (let index = 100; index < 130; index++)
      await location.put(`holdfast/records/shop/statefulset-db/20260101T000${index}Z-u${index}-0.json`, Buffer.from('{'))
    await ask()

    expect(status()).toMatchObject({ state: 'incomplete', records: 32, problemCount: 30, created: { actionSets: 2 } })
    expect(status().problems).toHaveLength(20)
    expect(status().nextAt).toBeUndefined()
  })
})

describe('what is not there yet', () => {
  test('the recovery key is asked for, and none is made; once it is there, the import goes on', async () => {
    trouble = () => ({ ...place, keys: [] })
    await ask()
    expect(status()).toMatchObject({ state: 'waiting', message: expect.stringContaining('holdfast key import') })

    trouble = undefined
    await clock.turnTo(clock.now() + 31_000)
    await done()

    expect(status()).toMatchObject({ state: 'complete', created: { actionSets: 2 } })
  })

  test('what it asks for by then is what counts, although the watch has not shown it', async () => {
    trouble = () => ({ ...place, keys: [] })
    await ask()
    api.watchFault = () => 'lose'
    await ask({ dryRun: true })

    trouble = undefined
    await clock.turnTo(clock.now() + 31_000)
    await done()

    expect(status()).toMatchObject({ state: 'complete', message: expect.stringContaining('nothing was made') })
    expect(imported()).toEqual([])
  })

  test('a store that does not answer is tried again, later and later, with one Event', async () => {
    trouble = () => {
      throw storeError('STORE_UNAVAILABLE', 'bucket b: no answer')
    }
    await ask()
    const first = status()
    await clock.turnTo(clock.now() + 61_000)
    const second = status()

    expect(first).toMatchObject({ state: 'waiting', attempts: 1, message: expect.stringContaining('no answer') })
    expect(second).toMatchObject({ state: 'waiting', attempts: 2 })
    expect(Date.parse(second.nextAt ?? '') - clock.now()).toBeGreaterThan(100_000)
    expect(api.events).toHaveLength(1)
  })

  test('an object that the server refuses is a problem, and is tried again', async () => {
    api.before = ({ verb, name }) => {
      if (verb === 'create' && name === 'backup-1') throw kubeError('KUBE_FORBIDDEN', 'quota exceeded')
    }
    await ask()
    expect(status()).toMatchObject({ state: 'incomplete', created: { actionSets: 1 }, present: 0, problemCount: 1 })

    api.before = () => undefined
    await clock.turnTo(clock.now() + 61_000)
    await done()

    expect(status()).toMatchObject({ state: 'complete', created: { actionSets: 1 }, present: 2 })
  })

  test('one in another namespace is not done, and says where it belongs', async () => {
    await controller.close()
    start({}, 'tenant')
    const metadata = { name: 'all', namespace: 'tenant' }
    api.put(ownKinds.catalogImports, { kind: 'CatalogImport', metadata, spec: { profile: { name: 'here' } } } as never)
    await settled()

    expect(api.read(ownKinds.catalogImports, 'tenant', 'all')?.status).toMatchObject({
      state: 'waiting',
      message: expect.stringContaining('make it in engine'),
    })
    expect(imported()).toEqual([])
  })
})

test('an engine killed at any request of it leaves an import that the next one ends, each object made once', async () => {
  for (let at = 1; at <= 12; at++) {
    await controller.close()
    api = new FakeApi()
    const process: FakeProcess = {}
    let count = 0
    api.after = () => {
      if (++count === at) process.dead = true
    }
    start(process)
    void ask()
    for (let look = 0; look < 10; look++) await settled()
    controller.close().catch(() => undefined)
    api.after = () => undefined

    start()
    await done()

    expect({ at, state: status().state, problems: status().problems }).toEqual({ at, state: 'complete', problems: [] })
    expect(imported().toSorted()).toEqual(['backup-1', 'backup-2'])
  }
})
