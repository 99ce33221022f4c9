import { afterEach, describe, expect, test } from 'vitest'
import type { ActionSet } from '../../../../src/api/actionset.ts'
import { names } from '../../../../src/api/names.ts'
import type { Schedule, ScheduleSpec } from '../../../../src/api/schedule.ts'
import { ScheduleController } from '../../../../src/controllers/schedule/controller.ts'
import { ScheduleMeter } from '../../../../src/controllers/schedule/meter.ts'
import { kinds, type StatefulSet } from '../../../../src/kube/kinds.ts'
import { ownKinds } from '../../../../src/kube/own-kinds.ts'
import { createMetrics, type Metrics } from '../../../../src/telemetry/metrics.ts'
import { silentLogger } from '../../../../src/telemetry/logger.ts'
import { FakeApi } from '../../../build/fake-api.ts'
import { settled, TurnedClock } from '../../../build/turned-clock.ts'

const start = Date.parse('2026-05-01T00:30:00Z')
const minute = 60_000
const hour = 60 * minute

class World {
  readonly api = new FakeApi()
  readonly clock = new TurnedClock(start)
  readonly metrics: Metrics = createMetrics()
  #controller: ScheduleController | undefined

  async startEngine(): Promise<void> {
    const kube = this.api.kube()
    this.#controller = new ScheduleController({
      kube,
      events: kube.eventSink('test'),
      clock: this.clock,
      log: silentLogger,
      namespace: 'holdfast',
      engineNamespace: 'holdfast',
      meter: new ScheduleMeter(this.metrics, 'holdfast'),
    })
    await this.#controller.start()
    await settled()
  }

  async stopEngine(): Promise<void> {
    await this.#controller?.close()
    this.#controller = undefined
  }

  /** Puts it there and lets the engine see it. */
  async schedule(spec: Partial<ScheduleSpec> = {}, name = 'hourly'): Promise<void> {
    const body: ScheduleSpec = { cron: '0 * * * *', action: { blueprint: 'pg' }, selector: { kinds: ['StatefulSet'] }, ...spec }
    const object = {
      apiVersion: 'holdfast.dev/v1alpha1',
      kind: 'Schedule' as const,
      metadata: { name, namespace: 'holdfast', generation: 1 },
      spec: body,
    }
    this.api.put(ownKinds.schedules, object as Schedule)
    await settled()
  }

  edit(spec: Partial<ScheduleSpec>): void {
    const old = this.api.read(ownKinds.schedules, 'holdfast', 'hourly') as Schedule
    this.api.put(ownKinds.schedules, {
      ...old,
      metadata: { ...old.metadata, generation: (old.metadata.generation ?? 0) + 1 },
      spec: { ...old.spec, ...spec },
    })
  }

  database(name = 'db', replicas = 1): void {
    const object: StatefulSet = {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name, namespace: 'shop' },
      spec: { replicas } as never,
    }
    this.api.put(kinds.statefulSets, object)
  }

  get actionSets(): readonly ActionSet[] {
    return this.api.all(ownKinds.actionSets) as unknown as ActionSet[]
  }

  get slots(): string[] {
    return this.actionSets.map(({ metadata }) => metadata.annotations?.[names.slot]?.slice(11, 16) ?? '').toSorted()
  }

  end(state: 'complete' | 'failed'): void {
    for (const actionSet of this.actionSets) this.api.put(ownKinds.actionSets, { ...actionSet, status: { state } } as ActionSet)
  }

  get status(): NonNullable<Schedule['status']> {
    return this.api.read(ownKinds.schedules, 'holdfast', 'hourly')?.status ?? {}
  }
}

let world: World
afterEach(async () => {
  world.api.watchFault = () => undefined
  await world.stopEngine()
})

async function open(): Promise<World> {
  world = new World()
  await world.startEngine()
  return world
}

test('a database is backed up each hour, one ActionSet a slot', async () => {
  const { clock } = await open()
  world.database()
  await world.schedule()
  for (let turn = 0; turn < 3; turn++) {
    await clock.turnTo(start + (turn + 1) * hour)
    world.end('complete')
    await settled()
  }
  expect(world.slots).toEqual(['01:00', '02:00', '03:00'])
  expect(world.status).toMatchObject({ objectCount: 1, neverSucceeded: 0, message: '' })
})

test('a database that appears later is protected from its next slot on', async () => {
  const { clock } = await open()
  await world.schedule()
  await clock.turnTo(start + hour)
  world.database('late')
  await clock.turnTo(start + 1.2 * hour)
  expect(world.slots).toEqual([])
  await clock.turnTo(start + 2 * hour)
  expect(world.slots).toEqual(['02:00'])
})

test('an engine that was away over 380 slots runs one, and says how many it passed over', async () => {
  const { clock } = await open()
  world.database()
  await world.schedule()
  await clock.turnTo(start + minute)
  await world.stopEngine()
  await clock.turnTo(start + 380 * hour)
  await world.startEngine()
  await clock.turnTo(start + 380 * hour + minute)
  expect(world.slots).toHaveLength(1)
  expect(Object.values(world.status.objects ?? {})[0]?.skipped?.count).toBe(379)
  expect(world.api.events.map(({ reason }) => reason)).toContain('SlotSkipped')
})

test('an engine killed between the ActionSet and the status makes no second one', async () => {
  const { clock, api } = await open()
  world.database()
  await world.schedule()
  await clock.turnTo(start + minute)
  api.before = ({ verb, resource }) => {
    if (verb === 'patch' && resource === 'schedules') throw new Error('killed')
  }
  await clock.turnTo(start + 0.5 * hour)
  expect(world.slots).toEqual(['01:00'])
  await world.stopEngine()
  api.before = () => undefined
  await world.startEngine()
  await clock.turnTo(start + 0.6 * hour)
  expect(world.slots).toEqual(['01:00'])
  expect(Object.values(world.status.objects ?? {})[0]?.last?.state).toBe('pending')
})

test('an ActionSet of that name that is not ours is left alone, and that is said', async () => {
  const { clock, api } = await open()
  world.database()
  await world.schedule()
  await clock.turnTo(start + 0.5 * hour)
  const [made] = world.actionSets
  const name = made?.metadata.name.replace('010000', '020000') ?? ''
  api.put(ownKinds.actionSets, { apiVersion: '', kind: 'ActionSet', metadata: { name, namespace: 'holdfast' } } as ActionSet)
  world.end('complete')
  await clock.turnTo(start + 1.5 * hour)
  expect(api.events.map(({ message }) => message).join()).toContain('that this Schedule did not make')
})

test('a Schedule that was suspended starts nothing at once when it goes on', async () => {
  const { clock } = await open()
  world.database()
  await world.schedule({ suspend: true })
  await clock.turnTo(start + 5 * hour)
  world.edit({ suspend: false })
  await clock.turnTo(start + 5.2 * hour)
  expect(world.slots).toEqual([])
  await clock.turnTo(start + 5.6 * hour)
  expect(world.slots).toEqual(['06:00'])
})

test('a clock that is set back makes no second run of a slot, one that jumps ahead makes one', async () => {
  const { clock } = await open()
  world.database()
  await world.schedule()
  await clock.turnTo(start + hour)
  world.end('complete')
  clock.setTo(start)
  world.edit({ spread: '0s' })
  await settled()
  expect(world.slots).toEqual(['01:00'])
  await clock.turnTo(start + 1.6 * hour)
  expect(world.slots).toEqual(['01:00', '02:00'])
  world.end('complete')
  await clock.turnTo(start + 1.7 * hour)
  clock.setTo(start + 30 * hour)
  await clock.turnTo(start + 30.1 * hour)
  expect(world.slots).toEqual(['01:00', '02:00', '06:00'])
})

test('five hundred databases of the same minute start over the time they are given, none is lost', async () => {
  const { clock } = await open()
  for (let index = 0; index < 500; index++) world.database(`db-${index}`)
  await world.schedule({ spread: '30m' })
  await clock.turnTo(start + 35 * minute)
  const early = world.actionSets.length
  await clock.turnTo(start + 61 * minute)
  expect(early).toBeGreaterThan(30)
  expect(early).toBeLessThan(200)
  expect(world.slots).toEqual(Array.from({ length: 500 }, () => '01:00'))
}, 60_000)

test('a hundred Schedules of the same minute lose none, and cost the API server three requests each', async () => {
  world = new World()
  const { api, clock } = world
  for (let index = 0; index < 100; index++) {
    world.database(`db-${index}`)
    const objects = [{ kind: 'StatefulSet', namespace: 'shop', name: `db-${index}` }]
    await world.schedule({ selector: undefined, objects } as object, `s-${index}`)
  }
  await world.startEngine()
  await clock.turnTo(start + 25 * minute)
  const before = api.requests.length
  await clock.turnTo(start + 32 * minute)
  const requests = api.requests.slice(before).map(({ verb, resource }) => `${verb} ${resource}`)

  expect(world.slots).toEqual(Array.from({ length: 100 }, () => '01:00'))
  expect(requests.filter((request) => request === 'create actionsets')).toHaveLength(100)
  // The others are the Schedule as it is then, and its status.
  expect(requests.length).toBeLessThanOrEqual(300)
}, 60_000)

test('what could not be made because the API server was away is made when it is back', async () => {
  const { clock, api } = await open()
  world.database()
  await world.schedule()
  await clock.turnTo(start + minute)
  api.before = ({ verb }) => {
    if (verb === 'create') throw new Error('connection refused')
  }
  await clock.turnTo(start + 31 * minute)
  expect(world.slots).toEqual([])
  api.before = () => undefined
  await clock.turnTo(start + 35 * minute)
  expect(world.slots).toEqual(['01:00'])
})

test('numbers for monitoring are the same after a restart, and go when the Schedule goes', async () => {
  const { clock, api } = await open()
  world.database()
  await world.schedule()
  await clock.turnTo(start + hour)
  world.end('complete')
  await clock.turnTo(start + 1.1 * hour)
  const line = /^holdfast_schedule_last_success_timestamp_seconds\{.*schedule="hourly".*\} \d{10}/m
  expect(await world.metrics.text()).toMatch(line)
  await world.stopEngine()
  Object.assign(world, { metrics: createMetrics() })
  await world.startEngine()
  await settled()
  expect(await world.metrics.text()).toMatch(line)
  api.remove(ownKinds.schedules, 'holdfast', 'hourly')
  await settled()
  expect(await world.metrics.text()).not.toContain('schedule="hourly"')
})

test('a Schedule at rest is written once, though the server counts a generation for each write of its status', async () => {
  const { clock, api } = await open()
  world.database()
  await world.schedule()
  const before = api.writes('schedules')

  await clock.turnTo(start + 20 * minute)
  await settled()

  expect(before).toBe(1)
  expect(api.writes('schedules')).toBe(1)
})

test('numbers say when each object was last restored for a test, and nothing where nobody asked for it', async () => {
  await open()
  world.database()
  world.database('other')
  await world.schedule({ verification: { cron: '@weekly', restore: {} } })
  const metric = async (name: string): Promise<number | undefined> => {
    const line = (await world.metrics.text()).split('\n').find((each) => each.startsWith(`holdfast_schedule_${name}{`))
    return line === undefined ? undefined : Number(line.split(' ').at(-1))
  }
  const seconds = (text: string): number => Date.parse(text) / 1_000
  expect(await metric('unproven_since_timestamp_seconds')).toBe(0)

  const [proven, since] = ['2026-04-20T00:00:00Z', '2026-04-01T00:00:00Z']
  const good = { since, handled: '2026-05-01T00:30:00Z', lastSuccess: '2026-04-30T00:00:00Z' }
  const told = async (objects: object, lastProven?: string): Promise<void> => {
    const old = world.api.read(ownKinds.schedules, 'holdfast', 'hourly') as Schedule
    const verification = { since: '2026-04-10T00:00:00Z', handled: since, neverProven: 0, failing: 0, running: 0, message: '' }
    const status = { ...old.status, objects, verification: { ...verification, ...(lastProven ? { lastProven } : {}) } }
    world.api.put(ownKinds.schedules, { ...old, status } as Schedule)
    await settled()
  }
  const bad = { at: proven, verification: 'v', message: 'no' }
  await told({
    'shop/statefulset/db': { ...good, lastProven: { at: proven, verification: 'v' }, lastUnproven: bad },
    'shop/statefulset/other': { ...good, lastDisproved: bad },
  })
  expect(await metric('unproven_since_timestamp_seconds')).toBe(seconds('2026-04-10T00:00:00Z'))
  expect(await metric('last_proven_timestamp_seconds')).toBe(0)
  expect(await metric('never_proven_objects')).toBe(1)
  expect(await metric('disproved_objects')).toBe(1)
  expect(await metric('verification_failing')).toBe(2)

  const good2 = { ...good, lastProven: { at: proven, verification: 'v' } }
  await told({ 'shop/statefulset/db': good2, 'shop/statefulset/other': good2 }, proven)
  expect(await metric('last_proven_timestamp_seconds')).toBe(seconds(proven))
  expect(await metric('unproven_since_timestamp_seconds')).toBe(seconds(proven))
  expect(await metric('verification_failing')).toBe(0)
  expect(world.status.objects?.['shop/statefulset/db']?.lastProven?.at).toBe(proven)
  expect(world.status.verification?.lastProven).toBe(proven)

  world.edit({ verification: undefined } as object)
  await settled()
  expect(await metric('unproven_since_timestamp_seconds')).toBe(0)
  expect(world.status.verification).toBeUndefined()
})

test('an engine killed between ActionSet and status knows the run although nothing may start by now', async () => {
  const { api, clock } = await open()
  world.database()
  await world.schedule()
  await clock.turnTo(start + 29 * minute)
  api.before = ({ resource, verb }) => {
    if (resource === 'schedules' && verb === 'patch') throw new Error('the engine dies here')
  }
  await clock.turnTo(start + 31 * minute)
  expect(world.slots).toEqual(['01:00'])
  await world.stopEngine()
  api.before = () => undefined
  world.edit({ suspend: true })
  world.end('complete')
  await world.startEngine()
  await clock.turnTo(clock.now() + minute)

  const { lastSuccess, neverSucceeded, objects } = world.status
  expect({ lastSuccess, neverSucceeded }).toEqual({ lastSuccess: expect.any(String), neverSucceeded: 0 })
  expect(objects?.['shop/statefulset/db']).toMatchObject({ last: { state: 'complete' }, handled: '2026-05-01T01:00:00Z' })
  expect(objects?.['shop/statefulset/db']?.skipped).toBeUndefined()
  expect(world.slots).toEqual(['01:00'])
})

describe('a Schedule whose watch fell silent', () => {
  async function silent(spec: Partial<ScheduleSpec> = {}): Promise<World> {
    await open()
    world.database()
    await world.schedule(spec)
    await world.clock.turnTo(start + minute)
    world.api.watchFault = ({ resource }) => (resource === 'schedules' ? 'lose' : undefined)
    return world
  }

  test('starts nothing when it was suspended', async () => {
    const { clock } = await silent()
    world.edit({ suspend: true })

    await clock.turnTo(start + 2 * hour)

    expect(world.slots).toEqual([])
  })

  test('starts nothing when it was deleted', async () => {
    const { clock, api } = await silent()
    api.remove(ownKinds.schedules, 'holdfast', 'hourly')

    await clock.turnTo(start + 2 * hour)

    expect(world.slots).toEqual([])
  })

  test('cancels nothing for a new slot when it was told to let it end', async () => {
    const { clock, api } = await silent({ concurrencyPolicy: 'Replace' })
    await clock.turnTo(start + hour)
    for (const actionSet of world.actionSets)
      api.put(ownKinds.actionSets, { ...actionSet, status: { state: 'running' } } as ActionSet)
    world.edit({ concurrencyPolicy: 'Forbid' })

    await clock.turnTo(start + 1.6 * hour)

    expect(world.actionSets.map(({ metadata }) => metadata.annotations?.[names.cancel])).toEqual([undefined])
  })
})

test('an ActionSet that the watch has not shown yet is not called gone', async () => {
  const { clock, api } = await open()
  world.database()
  await world.schedule()
  await clock.turnTo(start + minute)
  await world.stopEngine()
  await world.startEngine()
  // Made and written down by the engine that led before, after this one had listed.
  api.watchFault = ({ resource }) => (resource === 'actionsets' ? 'lose' : undefined)
  const metadata = { name: 'late', namespace: 'holdfast', labels: { [names.schedule]: 'hourly' } }
  api.put(ownKinds.actionSets, { kind: 'ActionSet', metadata, status: { state: 'running' } } as unknown as ActionSet)
  const there = api.read(ownKinds.schedules, 'holdfast', 'hourly') as Schedule
  const object = { since: '2026-05-01T00:00:00Z', handled: '2026-05-01T00:30:00Z' }
  const last = { actionSet: 'late', slot: '2026-05-01T00:30:00Z', state: 'pending' }
  api.put(ownKinds.schedules, {
    ...there,
    status: { ...there.status, objects: { 'shop/statefulset/db': { ...object, last } } },
  })
  await clock.turnTo(start + 2 * minute)

  expect(world.status.objects?.['shop/statefulset/db']).toMatchObject({ last: { state: 'running' } })
  expect(world.status.lastFailure).toBeUndefined()
})
