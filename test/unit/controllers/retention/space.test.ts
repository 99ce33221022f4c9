import { afterEach, expect, test } from 'vitest'
import { appendLink, recordLink } from '../../../../src/catalog/chain-store.ts'
import { writeTakeover } from '../../../../src/catalog/takeover.ts'
import { ownKinds } from '../../../../src/kube/own-kinds.ts'
import { CatalogWorld, object } from '../../../build/catalog-world.ts'
import type { FakeProcess } from '../../../build/fake-api.ts'

const path = 'b/below/holdfast/shop'
const minute = 60_000
const hour = 60 * minute

let world: CatalogWorld
afterEach(() => world.stopEngine())

/** Two backups of which one goes; its delete action has ended and says that a repository still holds the space. */
async function lost(retention: object = {}): Promise<void> {
  world = new CatalogWorld()
  world.blueprint({ backup: {}, delete: {} })
  world.schedule({ keepLast: 1, ...retention })
  await world.backUp(1)
  await world.backUp(0)
  await world.startEngine()
  world.end('complete', { unpruned: path })
  await world.turn(minute)
}

test('after removals the repository is pruned by an ordinary ActionSet, again after the grace, until nothing waits', async () => {
  await lost()
  expect(world.status?.repositories).toMatchObject([{ path, profile: 'holdfast/p', message: '' }])
  expect(world.prunes).toEqual([])

  await world.turn(15 * minute)
  expect(world.prunes.map(({ spec }) => spec?.actions?.[0])).toMatchObject([
    {
      name: 'prune',
      options: { repository: path },
      profile: { name: 'p', namespace: 'holdfast' },
      object: { resource: 'profiles' },
    },
  ])
  const used = world.prunes[0]?.spec?.actions?.[0]?.blueprint ?? ''
  expect(world.api.read(ownKinds.blueprints, 'holdfast', used)?.actions).toMatchObject({
    prune: { phases: [{ func: 'PruneRepository' }] },
  })
  world.end('complete', { freedBytes: '0', waitingBytes: '500' })
  await world.turn(minute)
  expect(world.status).toMatchObject({ freedBytes: 0, repositories: [{ waitingBytes: 500, message: '' }] })

  await world.turn(30 * minute)
  expect(world.prunes).toHaveLength(1)
  await world.turn(hour)
  expect(world.prunes).toHaveLength(2)
  world.end('complete', { freedBytes: '500', waitingBytes: '0' })
  await world.turn(minute)
  expect(world.status).toMatchObject({ freedBytes: 500, repositories: [], message: '' })

  await world.turn(24 * hour)
  expect(world.prunes).toHaveLength(2)
})

test('a prune that fails is said and tried again, later and later', async () => {
  await lost()
  await world.turn(15 * minute)
  world.end('failed')
  await world.turn(minute)
  expect(world.status).toMatchObject({
    failing: 0,
    repositories: [{ fruitless: 1, message: expect.stringContaining('failed once: denied') }],
  })

  await world.turn(15 * minute)
  expect(world.prunes).toHaveLength(2)
  world.end('failed')
  await world.turn(15 * minute)
  expect(world.prunes).toHaveLength(2)
  await world.turn(15 * minute)
  expect(world.prunes).toHaveLength(3)
})

test('a removal while a prune runs has one more prune follow', async () => {
  await lost()
  await world.turn(15 * minute)
  const [running] = world.prunes
  await world.backUp(-1)
  // Others write to a bucket too, so it is looked into every hour.
  await world.turn(70 * minute)
  for (const each of world.removals.filter(({ status }) => !status))
    world.api.put(ownKinds.actionSets, {
      ...each,
      status: { state: 'complete', actions: [{ phases: [{ name: 'f', state: 'complete', output: { unpruned: path } }] }] },
    } as never)
  await world.turn(15 * minute)
  expect(world.status).toMatchObject({ removed: 2, repositories: [{ actionSet: running?.metadata.name }] })
  world.end('complete', { freedBytes: '0', waitingBytes: '0' })
  await world.turn(2 * hour)
  expect(world.prunes).toHaveLength(2)
})

test('prune: false begins none', async () => {
  await lost({ prune: false })
  await world.turn(3 * hour)
  expect(world.prunes).toEqual([])
  expect(world.status).toMatchObject({ removed: 1, repositories: [] })
})

test('where an installation that was not taken over keeps backups of the same namespace, nothing is pruned, and that is said', async () => {
  world = new CatalogWorld()
  const at = new Date(world.clock.now()).toISOString()
  const key = await world.backUp(9, { installation: { id: 'old' } })
  await appendLink(
    { ...world.catalog, installation: 'old', object },
    recordLink('uid9-0', key, await world.bucket.get(key), at),
  )
  world.api.remove(ownKinds.runs, 'holdfast', 'run-uid9')
  world.blueprint({ backup: {}, delete: {} })
  world.schedule({ keepLast: 1 })
  await world.backUp(1)
  await world.backUp(0)
  await world.startEngine()
  world.end('complete', { unpruned: path })
  await world.turn(hour)
  expect(world.prunes).toEqual([])
  expect(world.status?.repositories).toMatchObject([{ message: expect.stringContaining('installation old keeps backups') }])

  await writeTakeover(world.bucket, { from: 'old', to: 'mine', at }, world.catalog.key)
  await world.turn(7 * hour)
  expect(world.prunes).toHaveLength(1)
})

/** From the end of the removal to that of both prunes, with an engine that dies at one request. */
async function life(killAt: number, moment: 'before' | 'after'): Promise<number> {
  world = new CatalogWorld()
  world.blueprint({ backup: {}, delete: {} })
  world.schedule({ keepLast: 1 })
  await world.backUp(1)
  await world.backUp(0)
  await world.startEngine()
  await world.stopEngine()
  world.end('complete', { unpruned: path })
  const process: FakeProcess = {}
  let steps = 0
  world.api[moment] = ({ process: asker }) => {
    if (asker === process && !process.dead && ++steps === killAt) process.dead = true
  }
  await world.startEngine(process)
  await world.turn(minute)
  await world.turn(15 * minute)
  world.forgetEngine()
  await world.startEngine()
  await world.turn(minute)
  await world.turn(15 * minute)
  expect(world.prunes, `killed ${moment} request ${killAt}`).toHaveLength(1)
  world.end('complete', { freedBytes: '0', waitingBytes: '500' })
  await world.turn(2 * hour)
  world.end('complete', { freedBytes: '500', waitingBytes: '0' })
  await world.turn(hour)
  expect(world.prunes, `killed ${moment} request ${killAt}`).toHaveLength(2)
  expect(world.status, `killed ${moment} request ${killAt}`).toMatchObject({ freedBytes: 500, repositories: [] })
  await world.stopEngine()
  return steps
}

test('an engine killed before or after any of its requests asks for each prune once', async () => {
  const steps = await life(Infinity, 'before')
  expect(steps).toBe(7)
  for (const moment of ['before', 'after'] as const) for (let killAt = 1; killAt <= steps; killAt++) await life(killAt, moment)
}, 120_000)
