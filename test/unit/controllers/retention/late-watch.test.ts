import { afterEach, expect, test } from 'vitest'
import { names } from '../../../../src/api/names.ts'
import { runName } from '../../../../src/api/run.ts'
import type { Retention, Schedule } from '../../../../src/api/schedule.ts'
import { appendLink } from '../../../../src/catalog/chain-store.ts'
import { ownKinds } from '../../../../src/kube/own-kinds.ts'
import { CatalogWorld, object } from '../../../build/catalog-world.ts'

let world: CatalogWorld
afterEach(async () => {
  world.api.watchFault = () => undefined
  await world.stopEngine()
})

async function open(retention: Retention, backups: number): Promise<CatalogWorld> {
  world = new CatalogWorld()
  world.blueprint({ backup: {}, delete: {} })
  world.schedule(retention)
  for (let index = backups - 1; index >= 0; index--) await world.backUp(index)
  return world
}

/** From now on no watch of these says anything, and nothing tells that. */
function silence(of: 'schedules' | 'verifications'): void {
  world.api.watchFault = ({ resource }) => (resource === of ? 'lose' : undefined)
}

const going = (): (string | undefined)[] => world.removals.map(({ metadata }) => metadata.annotations?.[names.backup])

function rule(retention: Retention): void {
  const there = world.api.read(ownKinds.schedules, 'holdfast', 'nightly') as Schedule
  world.api.put(ownKinds.schedules, { ...there, spec: { ...there.spec, retention } })
}

test('a rule that was changed is the one that decides, although the watch has not shown it', async () => {
  await open({ keepLast: 2 }, 2)
  await world.startEngine()
  silence('schedules')
  rule({ keepLast: 5 })
  await world.backUp(-1)

  await world.turn(2 * 3_600_000)

  expect(going()).toEqual([])
})

test('a rule that is changed while the bucket is read removes nothing any more', async () => {
  await open({ keepLast: 1 }, 3)
  const get = world.bucket.get.bind(world.bucket)
  // The records of those that go are read last, right before their ActionSets are made.
  world.bucket.get = async (...given) => {
    if (given[0].includes('/records/')) rule({ keepLast: 5 })
    return await get(...given)
  }
  silence('schedules')

  await world.startEngine()

  expect(going()).toEqual([])
})

test('a Schedule that is gone removes nothing, although the watch still has it', async () => {
  await open({ keepLast: 2 }, 2)
  await world.startEngine()
  silence('schedules')
  world.api.remove(ownKinds.schedules, 'holdfast', 'nightly')
  await world.backUp(-1)

  await world.turn(2 * 3_600_000)

  expect(going()).toEqual([])
})

test('a Verification that the watch has not shown keeps its backup', async () => {
  await open({ keepLast: 2 }, 2)
  const record = await world.backUp(3)
  silence('verifications')
  const verification = { kind: 'Verification', metadata: { name: 'v', namespace: 'holdfast' }, spec: { record } }
  const list = world.api.before
  world.api.before = async (request) => {
    // Made when the engine has listed everything.
    if (request.resource === 'schedules' && !world.api.read(ownKinds.verifications, 'holdfast', 'v'))
      world.api.put(ownKinds.verifications, verification as never)
    await list(request)
  }

  await world.startEngine()

  expect(going()).toEqual([])
})

test('what others took out of the bucket since the last look does not count as kept', async () => {
  await open({ keepLast: 2 }, 3)
  const proven = await world.backUp(5)
  const verification = { kind: 'Verification', metadata: { name: 'v', namespace: 'holdfast' }, spec: { record: proven } }
  world.api.put(ownKinds.verifications, verification as never)
  const second = {
    kind: 'Verification',
    metadata: { name: 'w', namespace: 'holdfast' },
    spec: { record: await world.backUp(2) },
  }
  world.api.put(ownKinds.verifications, second as never)
  await world.startEngine()
  expect(going()).toEqual([])
  // A newer one is deleted by hand, with its word in the chain: now the third is one of the last two.
  const gone = await world.backUp(0)
  await appendLink({ ...world.catalog, object }, { kind: 'tombstone', record: 'uid0-0', at: '2026-06-10T00:00:00Z' })
  await world.bucket.delete(gone)
  for (const each of [verification, second])
    world.api.put(ownKinds.verifications, { ...each, status: { state: 'complete' } } as never)

  await world.turn(5 * 60_000)

  expect(going()).toEqual(['uid5-0'])
})

test('a backup that is pinned while its removal waits for its turn stays, and so does one that a new rule keeps', async () => {
  await open({ keepLast: 1 }, 3)
  await world.startEngine()
  expect(going()).toEqual(['uid2-0', 'uid1-0'])
  const cancelled = (): unknown[] => world.removals.map(({ metadata }) => metadata.annotations?.[names.cancel])
  await appendLink({ ...world.catalog, object }, { kind: 'pin', record: 'uid2-0', note: 'audit', at: '2026-06-10T00:00:00Z' })

  await world.turn(11 * 60_000)
  expect(cancelled()).toEqual(['true', undefined])
  rule({ keepLast: 2 })
  await world.turn(60_000)
  expect(cancelled()).toEqual(['true', 'true'])

  world.end('failed')
  await world.turn(3_600_000)
  expect(await world.left()).toHaveLength(3)
  expect(going()).toHaveLength(2)
  expect(world.api.events.map(({ reason }) => reason)).toContain('KeepingBackup')
})

test('a removal that a worker has taken goes on, whatever is said of its backup by then', async () => {
  await open({ keepLast: 1 }, 2)
  await world.startEngine()
  const [removal] = world.removals
  const actions = { '0': { fence: { owner: 'w', instance: '1', attempt: 1 }, state: 'pending', phases: [] } }
  const metadata = { name: runName(removal?.metadata.uid ?? ''), namespace: 'holdfast' }
  world.api.put(ownKinds.runs, { kind: 'Run', metadata, spec: { actions: [] }, status: { actions } } as never)
  rule({ keepLast: 2 })

  await world.turn(60_000)

  expect(world.removals.map(({ metadata: of }) => of.annotations?.[names.cancel])).toEqual([undefined])
})
