import { afterEach, expect, test } from 'vitest'
import type { ActionSet } from '../../../../src/api/actionset.ts'
import { names } from '../../../../src/api/names.ts'
import type { Run } from '../../../../src/api/run.ts'
import type { Retention, Schedule } from '../../../../src/api/schedule.ts'
import { deriveCatalogKey } from '../../../../src/catalog/catalog-key.ts'
import { appendLink, checkChain, readChain } from '../../../../src/catalog/chain-store.ts'
import { listRecords } from '../../../../src/catalog/list-records.ts'
import type { Catalog } from '../../../../src/catalog/open-catalog.ts'
import { renderRecord, type BackupRecord } from '../../../../src/catalog/record.ts'
import { recordKey } from '../../../../src/catalog/record-key.ts'
import { CatalogController } from '../../../../src/controllers/catalog/controller.ts'
import { RetentionController } from '../../../../src/controllers/retention/controller.ts'
import { ownKinds } from '../../../../src/kube/own-kinds.ts'
import { MemoryStore } from '../../../../src/store/memory.ts'
import { silentLogger } from '../../../../src/telemetry/logger.ts'
import { createMetrics } from '../../../../src/telemetry/metrics.ts'
import { FakeApi } from '../../../build/fake-api.ts'
import { settled, TurnedClock } from '../../../build/turned-clock.ts'

const day = 86_400_000
const start = Date.parse('2026-06-10T00:00:00Z')
const object = { kind: 'StatefulSet', name: 'db', namespace: 'shop' }
const objectKey = 'shop/statefulset/db'

class World {
  readonly api = new FakeApi()
  readonly clock = new TurnedClock(start)
  readonly bucket = new MemoryStore()
  readonly catalog: Catalog = {
    location: this.bucket,
    key: deriveCatalogKey(Buffer.alloc(32, 1), 'aaaa1111'),
    installation: 'mine',
  }
  #controllers: readonly (CatalogController | RetentionController)[] = []

  async startEngine(): Promise<void> {
    const kube = this.api.kube()
    const common = { kube, clock: this.clock, log: silentLogger, namespace: 'holdfast', openCatalog: async () => this.catalog }
    this.#controllers = [
      new CatalogController(common),
      new RetentionController({ ...common, events: kube.eventSink('test'), metrics: createMetrics() }),
    ]
    for (const controller of this.#controllers) await controller.start()
    await settled()
    await this.turn(60_000)
  }

  async stopEngine(): Promise<void> {
    for (const controller of this.#controllers) await controller.close()
    this.#controllers = []
  }

  async turn(ms: number): Promise<void> {
    await settled()
    await this.clock.turnTo(this.clock.now() + ms)
    // The store's own steps are not the clock's.
    await settled()
  }

  schedule(retention: Retention): void {
    const made = {
      apiVersion: 'holdfast.dev/v1alpha1',
      kind: 'Schedule' as const,
      metadata: { name: 'nightly', namespace: 'holdfast' },
      spec: { cron: '@daily', action: { blueprint: 'pg', profile: { name: 'p' } }, retention },
      status: { objects: { [objectKey]: { since: '2026-01-01T00:00:00Z', handled: '2026-01-01T00:00:00Z' } } },
    }
    this.api.put(ownKinds.schedules, made as unknown as Schedule)
  }

  blueprint(actions: object): void {
    this.api.put(ownKinds.blueprints, { kind: 'Blueprint', metadata: { name: 'pg', namespace: 'holdfast' }, actions } as never)
  }

  /** A backup that ended: record in the bucket, Run that says so. */
  async backUp(index: number, change: Partial<BackupRecord> = {}): Promise<string> {
    const startedAt = new Date(start - index * day).toISOString()
    const record: BackupRecord = {
      id: `uid${index}-0`,
      actionSet: { name: `nightly-${index}`, namespace: 'holdfast', uid: `uid${index}` },
      schedule: 'nightly',
      action: 'backup',
      object,
      blueprint: { name: 'pg', body: { actions: { delete: { phases: [] } } } },
      profile: {
        name: 'p',
        namespace: 'holdfast',
        location: { type: 's3Compliant', bucket: 'b', endpoint: '', prefix: '', region: '' },
        skipSSLVerify: false,
      },
      artifacts: { dump: { keyValue: { path: `pg/${index}` } } },
      phases: [],
      startedAt,
      finishedAt: startedAt,
      installation: { id: 'mine' },
      engineVersion: '0.1.0',
      ...change,
    }
    const key = recordKey(record)
    await this.bucket.put(key, Buffer.from(renderRecord(record, this.catalog.key)))
    const run = {
      apiVersion: 'holdfast.dev/v1alpha1',
      kind: 'Run',
      metadata: { name: `run-uid${index}`, namespace: 'holdfast', labels: { [names.unfinished]: 'false' } },
      spec: {
        actionSet: { name: `nightly-${index}`, uid: `uid${index}` },
        actions: [{ action: { object, profile: { name: 'p' } } }],
      },
      status: { state: 'complete', actions: { '0': { state: 'complete', record: key, endedAt: startedAt } } },
    }
    this.api.put(ownKinds.runs, run as unknown as Run)
    return key
  }

  get removals(): ActionSet[] {
    return this.api.all(ownKinds.actionSets) as unknown as ActionSet[]
  }

  end(state: 'complete' | 'failed'): void {
    // The fake server's times are of today.
    const creationTimestamp = new Date(this.clock.now()).toISOString()
    for (const { metadata, status, ...rest } of this.removals)
      if (!status) {
        const ended = { ...rest, metadata: { ...metadata, creationTimestamp }, status: { state, error: { message: 'denied' } } }
        this.api.put(ownKinds.actionSets, ended as ActionSet)
      }
  }

  async left(): Promise<string[]> {
    const ids: string[] = []
    for await (const { id } of listRecords(this.bucket)) ids.push(id)
    return ids
  }

  get status(): NonNullable<Schedule['status']>['retention'] {
    return this.api.read(ownKinds.schedules, 'holdfast', 'nightly')?.status?.retention
  }
}

let world: World
afterEach(() => world.stopEngine())

async function open(retention: Retention, backups: number): Promise<World> {
  world = new World()
  world.blueprint({ backup: {}, delete: {} })
  world.schedule(retention)
  for (let index = backups - 1; index >= 0; index--) await world.backUp(index)
  await world.startEngine()
  return world
}

test('a backup that no rule keeps goes by the Blueprint’s delete action; then its record goes and the chain says so', async () => {
  await open({ keepLast: 2 }, 4)

  expect(world.removals.map(({ spec }) => spec?.actions?.[0])).toEqual([
    expect.objectContaining({ name: 'delete', blueprint: 'pg', artifacts: { dump: { keyValue: { path: 'pg/3' } } }, object }),
    expect.objectContaining({ artifacts: { dump: { keyValue: { path: 'pg/2' } } } }),
  ])
  expect(await world.left()).toHaveLength(4)

  world.end('complete')
  await world.turn(60_000)

  expect(await world.left()).toEqual(['uid1-0', 'uid0-0'])
  expect(await checkChain({ ...world.catalog, object })).toEqual([])
  expect(world.status).toMatchObject({ kept: 2, removed: 2, failing: 0, message: '' })
})

test('a removal that fails is said, tried again, and succeeds in the end', async () => {
  await open({ keepLast: 1 }, 2)
  world.end('failed')
  await world.turn(60_000)
  expect(world.status).toMatchObject({ removing: 1, failing: 1, message: expect.stringContaining('denied') })

  await world.turn(30 * 60_000)
  expect(world.removals.length).toBeGreaterThan(1)
  world.end('complete')
  await world.turn(60_000)
  expect(await world.left()).toEqual(['uid0-0'])
})

test('an engine killed between the delete action and the record finishes it after its start', async () => {
  await open({ keepLast: 1 }, 2)
  await world.stopEngine()
  world.end('complete')
  await world.startEngine()
  expect(await world.left()).toEqual(['uid0-0'])
  expect(world.removals).toHaveLength(1)
})

test('an engine killed between the word in the chain and the record’s end finishes it too', async () => {
  await open({ keepLast: 1 }, 2)
  await world.stopEngine()
  world.end('complete')
  await appendLink({ ...world.catalog, object }, { kind: 'tombstone', record: 'uid1-0', at: '2026-06-10T00:00:00Z' })
  await world.startEngine()
  await world.turn(60_000)
  expect(await world.left()).toEqual(['uid0-0'])
})

test('backups of others stay: by hand, of another Schedule, of another installation, without a link', async () => {
  world = new World()
  world.blueprint({ delete: {} })
  world.schedule({ keepLast: 1 })
  const { schedule: _none, ...byHand } = {} as Partial<BackupRecord>
  await world.backUp(9, { ...byHand, schedule: 'weekly' })
  await world.backUp(8, { installation: { id: 'another' } })
  await world.backUp(1)
  await world.backUp(0)
  await world.startEngine()
  expect(world.removals.map(({ metadata }) => metadata.annotations?.[names.backup])).toEqual(['uid1-0'])
})

test('a Blueprint that is gone is made again from the record, under a name of its own', async () => {
  world = new World()
  world.schedule({ keepLast: 1 })
  await world.backUp(1)
  await world.backUp(0)
  await world.startEngine()
  const used = world.removals[0]?.spec?.actions?.[0]?.blueprint
  expect(used).toMatch(/^pg-as-of-[0-9a-f]{10}$/)
  expect(world.api.read(ownKinds.blueprints, 'holdfast', used ?? '')?.actions).toHaveProperty('delete')
})

test('a Blueprint without a delete action removes nothing, and status says what to do', async () => {
  world = new World()
  world.blueprint({ backup: {} })
  world.schedule({ keepLast: 1 })
  await world.backUp(1, { blueprint: { name: 'pg' } })
  await world.backUp(0)
  await world.startEngine()
  expect(world.removals).toEqual([])
  expect(world.status?.message).toContain('has no action "delete"')
})

test('each record is linked once, in the order of their ends, also by an engine that was killed in between', async () => {
  await open({}, 3)
  await world.stopEngine()
  for (const run of world.api.all(ownKinds.runs)) {
    const { [names.catalogued]: _mark, ...labels } = run.metadata.labels ?? {}
    world.api.put(ownKinds.runs, { ...run, metadata: { ...run.metadata, labels } } as unknown as Run)
  }
  await world.startEngine()
  const links = await readChain({ ...world.catalog, object })
  expect(links.map(({ record, kind }) => `${kind} ${record}`).toSorted()).toEqual([
    'record uid0-0',
    'record uid1-0',
    'record uid2-0',
  ])
  expect(world.api.all(ownKinds.runs).every(({ metadata }) => metadata.labels?.[names.catalogued] === 'true')).toBe(true)
})
