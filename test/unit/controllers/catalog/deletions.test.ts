import { afterEach, expect, test } from 'vitest'
import { names } from '../../../../src/api/names.ts'
import type { BackupRecord } from '../../../../src/catalog/record.ts'
import { appendLink, checkChain, readChain } from '../../../../src/catalog/chain-store.ts'
import { CatalogWorld, object } from '../../../build/catalog-world.ts'

let world: CatalogWorld
afterEach(() => world.stopEngine())

const artifactsOf = (index: number): object => ({ dump: { keyValue: { path: `pg/${index}` } } })

async function withBackups(...changes: readonly Partial<BackupRecord>[]): Promise<void> {
  world = new CatalogWorld()
  for (const [index, change] of changes.entries()) await world.backUp(index, change)
  await world.startEngine()
}

test('a backup that was deleted by hand loses its record, and the chain says by what', async () => {
  await withBackups({}, {})
  world.deleted(1, { artifacts: artifactsOf(1) })
  await world.turn(60_000)

  expect(await world.left()).toEqual(['uid0-0'])
  expect((await readChain({ ...world.catalog, object })).at(-1)).toMatchObject({
    kind: 'tombstone',
    record: 'uid1-0',
    note: 'deleted by ActionSet by-hand-1',
  })
  expect(await checkChain({ ...world.catalog, object })).toEqual([])
})

test('an engine killed after the tombstone takes the record away after its start', async () => {
  await withBackups({}, {})
  await world.stopEngine()
  world.deleted(1, { artifacts: artifactsOf(1) })
  await appendLink({ ...world.catalog, object }, { kind: 'tombstone', record: 'uid1-0', at: '2026-06-10T00:00:00Z' })
  await world.startEngine()

  expect(await world.left()).toEqual(['uid0-0'])
  expect(await checkChain({ ...world.catalog, object })).toEqual([])
})

test.each([
  ['of another installation', { installation: { id: 'another' } }, {}],
  ['that ended after the deletion began', { finishedAt: '2026-06-10T00:00:01Z' }, {}],
  ['with other artifacts', { artifacts: { dump: { keyValue: { path: 'pg/0', more: 'x' } } } }, {}],
  ['which a retention is about to take away itself', {}, { labels: { [names.retention]: 'nightly' } }],
])('a record %s stays', async (_, change, deletion) => {
  await withBackups(change)
  world.deleted(0, { artifacts: artifactsOf(0), ...deletion })
  await world.turn(60_000)

  expect(await world.left()).toEqual(['uid0-0'])
})
