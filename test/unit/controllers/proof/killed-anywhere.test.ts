import { expect, test } from 'vitest'
import type { FakeProcess } from '../../../build/fake-api.ts'
import { ProofWorld } from '../../../build/proof-world.ts'
import { withFaults } from '../../../build/with-faults.ts'

const minute = 60_000

/** What an engine does in two rounds of two objects each, of three. */
async function life(
  killAt: number,
  moment: 'before' | 'after',
): Promise<{ readonly steps: number; readonly world: ProofWorld }> {
  const world = new ProofWorld()
  await world.schedule(['a', 'b', 'c'], { objectsPerRound: 2 })
  const process: FakeProcess = {}
  let steps = 0
  const dies = (): boolean => {
    if (process.dead || ++steps !== killAt) return process.dead === true
    process.dead = true
    return true
  }
  world.api[moment] = ({ process: asker }) => void (asker === process && dies())
  const bucket = withFaults(world.bucket, () => {
    const wasDead = process.dead === true
    if (!dies()) return undefined
    return moment === 'before' || wasDead ? { hang: true } : { failAfter: new Error('the process is dead') }
  })
  await world.startEngine(process, bucket)
  for (let look = 0; look < 8 && !process.dead; look++) {
    await world.turn(15 * minute)
    world.end()
  }
  world.forgetEngine()
  world.end()
  await world.startEngine()
  while (world.clock.now() < Date.parse('2026-06-10T02:30:00Z')) {
    await world.turn(15 * minute)
    world.end()
  }
  return { steps, world }
}

test('an engine killed before or after any of its requests proves each slot once, and says of each what became of it', async () => {
  const { steps, world } = await life(Infinity, 'before')
  await world.stopEngine()
  expect(steps).toBeGreaterThan(12)

  for (const moment of ['before', 'after'] as const) {
    for (let killAt = 1; killAt <= steps; killAt++) {
      const { world: survivor } = await life(killAt, moment)
      const where = `killed ${moment} request ${killAt}`
      expect(survivor.slots, where).toEqual(['01:00 a', '01:00 b', '02:00 a', '02:00 c'])
      expect(survivor.status.verification, where).toMatchObject({ neverProven: 0, failing: 0, running: 0, message: '' })
      expect(survivor.status.verification?.skipped, where).toBeUndefined()
      await survivor.stopEngine()
    }
  }
}, 120_000)
