import { afterEach, expect, test } from 'vitest'
import { readChain } from '../../../../src/catalog/chain-store.ts'
import { writeTakeover } from '../../../../src/catalog/takeover.ts'
import type { ObjectStore } from '../../../../src/store/object-store.ts'
import { CatalogWorld, object } from '../../../build/catalog-world.ts'

/** A production, and a cluster that somebody made to try a restore, both on one bucket with one key. */
let production: CatalogWorld
let trial: CatalogWorld
/** What the trial deleted in the bucket. */
let deleted: string[]
afterEach(async () => {
  await production.stopEngine()
  await trial.stopEngine()
})

const artifactsOf = (index: number): object => ({ dump: { keyValue: { path: `pg/${index}` } } })

/** The trial has the Schedule of the production, set going, with two backups of its own and a policy that keeps one. */
async function both(): Promise<void> {
  production = new CatalogWorld(undefined, 'production')
  production.schedule({})
  for (const index of [9, 8, 7]) await production.backUp(index, { installation: { id: 'production' } })
  await production.startEngine()
  trial = new CatalogWorld(production.bucket, 'trial')
  trial.blueprint({ backup: {}, delete: {} })
  trial.schedule({ keepLast: 1 })
  for (const index of [1, 0]) await trial.backUp(index, { installation: { id: 'trial' } })
  deleted = []
  await trial.startEngine({}, noting(production.bucket))
}

function noting(store: ObjectStore): ObjectStore {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...given: unknown[]) => {
        if (name === 'delete' || name === 'deleteMany') deleted.push(...[given[0] as string | string[]].flat())
        return Reflect.apply(value, target, given) as unknown
      }
    },
  })
}

test('a second engine on the bucket removes what is its own, and nothing of the first', async () => {
  await both()
  expect(trial.removals.map(({ spec }) => spec?.actions?.[0]?.artifacts)).toEqual([artifactsOf(1)])

  trial.end('complete')
  await trial.turn(60 * 60_000)

  expect(deleted).toEqual([expect.stringContaining('uid1-0')])
  expect(await trial.left()).toEqual(['uid9-0', 'uid8-0', 'uid7-0', 'uid0-0'])
  expect(trial.status).toMatchObject({ kept: 1, removed: 1, failing: 0 })
  expect((await readChain({ ...production.catalog, object })).map(({ kind }) => kind)).toEqual(['record', 'record', 'record'])
})

test('a delete by hand there takes no record of the first away, whatever it was given', async () => {
  await both()

  trial.deleted(9, { artifacts: artifactsOf(9) })
  await trial.turn(60_000)

  expect(await trial.left()).toContain('uid9-0')
  expect(deleted).toEqual([])
})

test('after a takeover both go: by the policy, and by hand with a word in the chain of whoever made it', async () => {
  await both()
  await trial.stopEngine()
  const at = new Date(trial.clock.now()).toISOString()
  await writeTakeover(trial.bucket, { from: 'production', to: 'trial', at }, trial.catalog.key)
  trial.deleted(7, { artifacts: artifactsOf(7) })

  await trial.startEngine()
  trial.end('complete')
  await trial.turn(60 * 60_000)

  expect(await trial.left()).toEqual(['uid0-0'])
  expect(await readChain({ ...production.catalog, object })).toContainEqual(
    expect.objectContaining({ kind: 'tombstone', record: 'uid7-0', note: 'deleted by ActionSet by-hand-7' }),
  )
})

test('the first engine removes nothing any more of what was taken over', async () => {
  await both()
  await production.stopEngine()
  const at = new Date(trial.clock.now()).toISOString()
  await writeTakeover(trial.bucket, { from: 'production', to: 'trial', at }, trial.catalog.key)

  production.blueprint({ delete: {} })
  production.schedule({ keepLast: 1 })
  await production.startEngine()

  expect(production.removals).toEqual([])
})
