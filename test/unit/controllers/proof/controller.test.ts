import { afterEach, expect, test } from 'vitest'
import type { ScheduleVerification } from '../../../../src/api/schedule.ts'
import { names } from '../../../../src/api/names.ts'
import { ownKinds } from '../../../../src/kube/own-kinds.ts'
import { ProofWorld, proofStart } from '../../../build/proof-world.ts'

const minute = 60_000
const hour = 60 * minute

let world: ProofWorld
afterEach(async () => {
  world.api.watchFault = () => undefined
  await world.stopEngine()
})

async function open(
  databases: readonly string[] = ['db'],
  verification: Partial<ScheduleVerification> = {},
): Promise<ProofWorld> {
  world = new ProofWorld()
  await world.schedule(databases, verification)
  await world.startEngine()
  return world
}

test('each slot makes a Verification of the newest backup, and its end stands in status', async () => {
  await open(['db'], { verify: {}, ttl: '24h' })
  const newest = await world.backUp('db')
  await world.turn(31 * minute)

  expect(world.verifications).toMatchObject([
    {
      metadata: {
        labels: { [names.schedule]: 'nightly' },
        name: expect.stringMatching(/^nightly-proof-.{8}-20260610t010000z$/),
      },
      spec: {
        profile: { name: 'p', namespace: 'holdfast' },
        record: newest,
        object: { kind: 'StatefulSet', namespace: 'shop', name: 'db' },
        check: { subset: '5%' },
        restore: {},
        verify: {},
        ttl: '24h',
      },
    },
  ])
  expect(world.status.verification).toMatchObject({ running: 1, neverProven: 1, nextRun: '2026-06-10T02:00:00Z', message: '' })
  world.end()
  await world.turn(minute)
  expect(world.object('db')).toMatchObject({
    lastProven: { at: '2026-06-10T01:01:02Z', backup: '2026-06-10T00:30:00Z', seconds: 90 },
  })
  expect(world.status.verification).toMatchObject({
    running: 0,
    neverProven: 0,
    failing: 0,
    lastProven: '2026-06-10T01:01:02Z',
  })
  expect(world.reasons).toEqual(['ProvingBackup', 'BackupProven'])
})

test('a backup that is no good is said, and stays said until one is proven', async () => {
  await open()
  await world.turn(31 * minute)
  world.end({ state: 'failed', disproved: true, message: 'orders.rows: recorded 12, found 11', steps: [] })
  await world.turn(minute)
  expect(world.object('db')?.lastDisproved).toMatchObject({ message: 'orders.rows: recorded 12, found 11' })
  expect(world.status.verification).toMatchObject({ failing: 1, neverProven: 1 })
  expect(world.api.events.at(-1)).toMatchObject({
    type: 'Warning',
    reason: 'BackupDisproved',
    message: expect.stringContaining('found 11'),
  })

  await world.turn(hour)
  world.end()
  await world.turn(minute)
  expect(world.object('db')?.lastDisproved).toBeUndefined()
  expect(world.status.verification).toMatchObject({ failing: 0, neverProven: 0 })
})

test('what could not be tried is not called a bad backup, and forgets no proof', async () => {
  await open()
  await world.turn(31 * minute)
  world.end()
  await world.turn(hour)
  world.end({ state: 'failed', message: 'the operator may not create namespaces', steps: [] })
  await world.turn(minute)
  expect(world.object('db')).toMatchObject({
    lastProven: { at: '2026-06-10T01:01:02Z' },
    lastUnproven: { message: 'the operator may not create namespaces' },
  })
  expect(world.object('db')?.lastDisproved).toBeUndefined()
  expect(world.status.verification).toMatchObject({ failing: 1, lastProven: '2026-06-10T01:01:02Z' })
  expect(world.reasons).toContain('BackupNotProven')
})

test('what was only looked at is not called restored; it is enough where the Schedule restores nothing', async () => {
  await open()
  await world.turn(31 * minute)
  world.end({ steps: [{ name: 'check', state: 'complete' }] })
  await world.turn(minute)
  expect(world.object('db')).toMatchObject({ lastChecked: { at: '2026-06-10T01:01:02Z' } })
  expect(world.object('db')?.lastProven).toBeUndefined()
  expect(world.status.verification).toMatchObject({ neverProven: 1, failing: 0 })
  expect(world.reasons).toContain('BackupChecked')

  world.edit(({ spec }) => ({ spec: { ...spec, verification: { cron: '0 * * * *', check: {} } } }))
  await world.turn(minute)
  expect(world.status.verification).toMatchObject({ neverProven: 0, lastProven: '2026-06-10T01:01:02Z' })
})

test('a namespace that could not be removed makes no backup bad', async () => {
  await open()
  await world.turn(31 * minute)
  const steps = [
    { name: 'restore', state: 'complete' },
    { name: 'clean', state: 'failed' },
  ] as const
  world.end({ state: 'failed', message: 'namespace x is still there', steps: [...steps] })
  await world.turn(minute)
  expect(world.object('db')?.lastProven).toBeDefined()
})

test('objects take turns, and one that always fails takes nobody else’s', async () => {
  await open(['a', 'b', 'c'])
  for (let slot = 0; slot < 4; slot++) {
    await world.turn(slot === 0 ? 31 * minute : hour)
    world.end(slot % 3 === 0 ? { state: 'failed', disproved: true, steps: [] } : {})
  }
  expect(world.slots).toEqual(['01:00 a', '02:00 b', '03:00 c', '04:00 a'])
})

test('a round of several takes as many objects', async () => {
  await open(['a', 'b', 'c'], { objectsPerRound: 2 })
  await world.turn(31 * minute)
  expect(world.slots).toEqual(['01:00 a', '01:00 b'])
  world.end()
  await world.turn(hour)
  expect(world.slots.slice(2)).toEqual(['02:00 a', '02:00 c'])
})

test('a slot whose forerunner still runs is passed over, and that is said', async () => {
  await open()
  await world.turn(31 * minute)
  await world.turn(hour)
  expect(world.slots).toEqual(['01:00 db'])
  expect(world.status.verification?.skipped).toMatchObject({ count: 1, why: expect.stringContaining('has not ended') })
  expect(world.reasons).toContain('ProofSkipped')
})

test('an engine that was away over many slots proves once', async () => {
  await open()
  await world.stopEngine()
  world.clock.setTo(proofStart + 380 * hour)
  await world.startEngine()
  await world.turn(minute)
  expect(world.slots).toHaveLength(1)
  expect(world.status.verification?.skipped?.count).toBe(379)
})

test('a suspended Schedule proves nothing, nor at once when it goes on', async () => {
  await open()
  world.edit(({ spec }) => ({ spec: { ...spec, suspend: true } }))
  await world.turn(5 * hour)
  expect(world.status.verification?.nextRun).toBeUndefined()
  world.edit(({ spec }) => ({ spec: { ...spec, suspend: false } }))
  await world.turn(10 * minute)
  expect(world.slots).toEqual([])
  await world.turn(30 * minute)
  expect(world.slots).toEqual(['06:00 db'])
})

test('without any good backup there is nothing to prove', async () => {
  await open([])
  world.edit(() => ({ status: { objects: { 'shop/statefulset/new': { since: '2026-06-01T00:00:00Z', handled: '' } } } }))
  await world.turn(31 * minute)
  expect(world.slots).toEqual([])
  expect(world.status.verification).toMatchObject({ neverProven: 0, skipped: { why: 'no object has a good backup yet' } })
})

test('backups of other Schedules and of other installations are not those of this one', async () => {
  await open()
  const second = await world.backUp('db')
  await world.turn(minute)
  await world.backUp('db', { schedule: 'weekly' })
  await world.turn(minute)
  await world.backUp('db', { installation: { id: 'another' } })
  await world.turn(29 * minute)
  expect(world.verifications[0]?.spec.record).toBe(second)
})

test('a newest record that cannot be read is what is to be proven, since nothing could be worse', async () => {
  await open()
  await world.turn(minute)
  const key = await world.backUp('db')
  await world.bucket.put(key, Buffer.from('{"format": '))
  await world.turn(30 * minute)
  expect(world.verifications[0]?.spec.record).toBe(key)
})

test('a bucket that cannot be reached keeps the slot due, says so, and is asked again', async () => {
  await open()
  world.unreachable = new Error('bucket "b" does not answer')
  await world.turn(31 * minute)
  expect(world.slots).toEqual([])
  expect(world.status.verification?.message).toBe('bucket "b" does not answer')
  world.unreachable = undefined
  await world.turn(10 * minute)
  expect(world.slots).toEqual(['01:00 db'])
  expect(world.status.verification?.message).toBe('')
})

test('a cron that cannot be read is said', async () => {
  await open(['db'], { cron: '0 25 * * *' })
  await world.turn(minute)
  expect(world.status.verification?.message).toMatch(/^verification.cron: /)
})

test('a Verification of that name that is not ours is left alone, and that is said', async () => {
  await open()
  await world.turn(31 * minute)
  const name = world.verifications[0]?.metadata.name.replace('t01', 't02') ?? ''
  world.api.put(ownKinds.verifications, { kind: 'Verification', metadata: { name, namespace: 'holdfast' }, spec: {} } as never)
  world.end()
  await world.turn(hour)
  expect(world.api.events.map(({ message }) => message).join()).toContain('that this Schedule did not make')
})

test('a Schedule that was suspended proves nothing, although the watch has not shown it', async () => {
  await open()
  world.api.watchFault = ({ resource }) => (resource === 'schedules' ? 'lose' : undefined)
  world.edit(({ spec }) => ({ spec: { ...spec, suspend: true } }))

  await world.turn(31 * minute)

  expect(world.verifications).toEqual([])
})
