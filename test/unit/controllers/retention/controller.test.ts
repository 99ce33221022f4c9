import { afterEach, expect, test } from 'vitest'
import { names } from '../../../../src/api/names.ts'
import type { Run } from '../../../../src/api/run.ts'
import type { Retention } from '../../../../src/api/schedule.ts'
import { appendLink, checkChain, readChain, recordLink } from '../../../../src/catalog/chain-store.ts'
import type { BackupRecord } from '../../../../src/catalog/record.ts'
import { writeTakeover } from '../../../../src/catalog/takeover.ts'
import { ownKinds } from '../../../../src/kube/own-kinds.ts'
import { CatalogWorld, object } from '../../../build/catalog-world.ts'

let world: CatalogWorld
afterEach(() => world.stopEngine())

async function open(retention: Retention, backups: number): Promise<CatalogWorld> {
  world = new CatalogWorld()
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

test('a backup that is being proven stays until that has ended', async () => {
  world = new CatalogWorld()
  world.blueprint({ backup: {}, delete: {} })
  world.schedule({ keepLast: 1 })
  const [record] = [await world.backUp(1), await world.backUp(0)]
  const verification = { kind: 'Verification', metadata: { name: 'v', namespace: 'holdfast' }, spec: { record } }
  world.api.put(ownKinds.verifications, verification as never)
  await world.startEngine()
  await world.turn(5 * 60_000)
  expect(world.removals).toEqual([])

  world.api.put(ownKinds.verifications, { ...verification, status: { state: 'failed' } } as never)
  await world.turn(2 * 60_000)
  expect(world.removals).toHaveLength(1)
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
  world = new CatalogWorld()
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

test('backups of an installation that was taken over are removed too, and their own chain says so', async () => {
  world = new CatalogWorld()
  world.blueprint({ delete: {} })
  world.schedule({ keepLast: 1 })
  const old = { ...world.catalog, installation: 'old', object }
  const at = new Date(world.clock.now()).toISOString()
  for (const index of [9, 8]) {
    const key = await world.backUp(index, { installation: { id: 'old' } })
    const bytes = await world.bucket.get(key)
    await appendLink(old, recordLink(`uid${index}-0`, key, bytes, at))
    world.api.remove(ownKinds.runs, 'holdfast', `run-uid${index}`)
  }
  await world.startEngine()
  expect(world.removals).toEqual([])
  await world.stopEngine()
  await writeTakeover(world.bucket, { from: 'old', to: 'mine', at }, world.catalog.key)
  await world.startEngine()
  world.end('complete')
  await world.turn(60_000)
  expect(await world.left()).toEqual(['uid8-0'])
  expect((await readChain(old)).at(-1)).toMatchObject({ kind: 'tombstone', record: 'uid9-0' })
})

test('a Blueprint that is gone is made again from the record, under a name of its own', async () => {
  world = new CatalogWorld()
  world.schedule({ keepLast: 1 })
  await world.backUp(1)
  await world.backUp(0)
  await world.startEngine()
  const used = world.removals[0]?.spec?.actions?.[0]?.blueprint
  expect(used).toMatch(/^pg-as-of-[0-9a-f]{10}$/)
  expect(world.api.read(ownKinds.blueprints, 'holdfast', used ?? '')?.actions).toHaveProperty('delete')
})

test("a Blueprint that is made again keeps annotations of ours, which stand for fields that a Kanister's CRD drops", async () => {
  world = new CatalogWorld()
  world.schedule({ keepLast: 1 })
  const annotations = { 'holdfast.dev/template-language': 'Handlebars', 'example.com/note': 'x' }
  await world.backUp(1, { blueprint: { name: 'pg', body: { metadata: { annotations }, actions: { delete: { phases: [] } } } } })
  await world.backUp(0)
  await world.startEngine()
  const used = world.removals[0]?.spec?.actions?.[0]?.blueprint ?? ''
  expect(world.api.read(ownKinds.blueprints, 'holdfast', used)?.metadata.annotations).toEqual({
    'holdfast.dev/template-language': 'Handlebars',
  })
})

test('a Blueprint without a delete action removes nothing, and status says what to do', async () => {
  world = new CatalogWorld()
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
