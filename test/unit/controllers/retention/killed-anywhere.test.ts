import { expect, test } from 'vitest'
import { checkChain, readChain } from '../../../../src/catalog/chain-store.ts'
import { CatalogWorld, object } from '../../../build/catalog-world.ts'
import type { FakeProcess } from '../../../build/fake-api.ts'
import { withFaults } from '../../../build/with-faults.ts'

/** What an engine does with three backups of which two stay: link, decide, ask for the deletion, tombstone, record. */
async function life(
  killAt: number,
  moment: 'before' | 'after',
): Promise<{ readonly steps: number; readonly world: CatalogWorld }> {
  const world = new CatalogWorld()
  world.blueprint({ backup: {}, delete: {} })
  world.schedule({ keepLast: 2 })
  for (const index of [2, 1, 0]) await world.backUp(index)
  const process: FakeProcess = {}
  let steps = 0
  const dies = (): boolean => {
    if (process.dead || ++steps !== killAt) return process.dead === true
    process.dead = true
    return true
  }
  world.api[moment] = ({ process: asker }) => void (asker === process && dies())
  const lost = new Error('the process is dead')
  const bucket = withFaults(world.bucket, () => {
    const wasDead = process.dead === true
    if (!dies()) return undefined
    return moment === 'before' || wasDead ? { hang: true } : { failAfter: lost }
  })

  await world.startEngine(process, bucket)
  await world.turn(60_000)
  if (!process.dead) {
    world.end('complete')
    await world.turn(60_000)
  }
  world.forgetEngine()
  world.end('complete')
  await world.startEngine()
  world.end('complete')
  await world.turn(15 * 60_000)
  world.end('complete')
  await world.turn(15 * 60_000)
  return { steps, world }
}

test('an engine killed before or after any of its requests doubles nothing and loses nothing', async () => {
  const { steps, world } = await life(Infinity, 'before')
  await world.stopEngine()
  expect(steps).toBeGreaterThan(20)

  for (const moment of ['before', 'after'] as const) {
    for (let killAt = 1; killAt <= steps; killAt++) {
      const { world: survivor } = await life(killAt, moment)
      const where = `killed ${moment} request ${killAt}`
      const links = (await readChain({ ...survivor.catalog, object })).map(({ kind, record }) => `${kind} ${record}`)
      expect(links.toSorted(), where).toEqual(['record uid0-0', 'record uid1-0', 'record uid2-0', 'tombstone uid2-0'])
      expect(await survivor.left(), where).toEqual(['uid1-0', 'uid0-0'])
      expect(await checkChain({ ...survivor.catalog, object }), where).toEqual([])
      expect(survivor.removals.length, where).toBe(1)
      expect(survivor.status, where).toMatchObject({ kept: 2, removing: 0, failing: 0, message: '' })
      await survivor.stopEngine()
    }
  }
}, 120_000)
