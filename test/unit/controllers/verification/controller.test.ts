import { afterEach, beforeAll, expect, test } from 'vitest'
import { readChain } from '../../../../src/catalog/chain-store.ts'
import { lastProof } from '../../../../src/catalog/proof.ts'
import { recordKey } from '../../../../src/catalog/record-key.ts'
import { kinds, type Namespace } from '../../../../src/kube/kinds.ts'
import { kubeError } from '../../../../src/kube/errors.ts'
import { ownKinds } from '../../../../src/kube/own-kinds.ts'
import { recoveryError } from '../../../../src/recovery/errors.ts'
import { installation, VerificationWorld } from '../../../build/verification-world.ts'
import { aBucket, aRecord, putRecord } from '../../recovery/a-bucket.ts'

let bucket: Awaited<ReturnType<typeof aBucket>>
let world: VerificationWorld
const recorded = { dump: { keyValue: { path: 'mysql/today.sql' } }, content: { keyValue: { rows: '5000' } } }
/** With an object of kando, so that nothing needs a repository but where a test says so. */
const plain = aRecord(7, { artifacts: recorded })
const record = recordKey(plain)

beforeAll(async () => {
  bucket = await aBucket()
  await putRecord(bucket.location, plain)
}, 60_000)
afterEach(() => world.stopEngine())

async function open(): Promise<VerificationWorld> {
  world = new VerificationWorld(bucket.place, recorded)
  await world.startEngine()
  return world
}

async function proof(): Promise<ReturnType<typeof lastProof>> {
  const { location, keys } = bucket.place
  const key = keys[0]?.catalog as never
  return lastProof(await readChain({ location, key, installation, object: plain.object }), plain.id)
}

const statesOf = (name: string) => world.status(name).steps?.map(({ state }) => state)

test('a backup is restored beside the original and looked at; the result stands in status, chain and an Event, and nothing is left', async () => {
  await open()
  world.verification('v', { record })

  const status = await world.ended('v')

  expect(status).toMatchObject({
    state: 'complete',
    message: '',
    attempt: 1,
    backup: plain.id,
    compared: { 'content.rows': { recorded: '5000', found: '5000' } },
  })
  expect(statesOf('v')).toEqual(['complete', 'skipped', 'complete', 'complete', 'complete'])
  expect(world.namespaces).toEqual([])
  expect(status.namespace).toBeUndefined()
  expect(await proof()).toMatchObject({ state: 'proven', details: { verification: 'v' } })
  expect(status.proof).toMatch(/^holdfast\/chain\/mine\/shop\/statefulset-db\/\d+\.json$/)
  expect(world.api.events).toContainEqual(expect.objectContaining({ type: 'Normal', reason: 'Proven', name: 'v' }))
  expect(world.actionSets.map(({ metadata }) => metadata.name)).toEqual(['v-restore-1', 'v-verify-1'])
  expect(world.actionSets[1]?.spec?.actions?.[0]).toMatchObject({
    name: 'verify',
    blueprint: 'postgresql',
    artifacts: recorded,
    object: { name: 'db', namespace: expect.stringMatching(/^holdfast-verify-[0-9a-f]{8}$/) },
  })
})

test('figures that are not those of the backup disprove it', async () => {
  await open()
  world.found = { content: { keyValue: { rows: '4999' } } }
  world.verification('v', { record })

  const status = await world.ended('v')

  expect(status).toMatchObject({
    state: 'failed',
    disproved: true,
    message:
      'verify: what was restored is not what was backed up: content.rows was 5000 at the backup and is 4999 after the restore',
    compared: { 'content.rows': { recorded: '5000', found: '4999' } },
  })
  expect(world.namespaces).toEqual([])
  expect(await proof()).toMatchObject({ state: 'failed', message: status.message })
})

test('a sample is read by a worker, with a Blueprint that the engine keeps', async () => {
  const stream = bucket.records[0] as (typeof bucket.records)[number]
  await open()
  world.api.put(ownKinds.blueprints, {
    metadata: { name: 'holdfast-verification', namespace: 'holdfast' },
    actions: { check: {} },
  } as never)
  world.verification('v', { record: recordKey(stream), check: { subset: '10%' } })

  const status = await world.ended('v')

  expect(status).toMatchObject({ state: 'complete', repositories: ['team/holdfast/shop'] })
  expect(world.actionSets[0]?.spec?.actions).toEqual([
    expect.objectContaining({
      name: 'check',
      blueprint: 'holdfast-verification',
      options: { repository: 'b/team/holdfast/shop', subset: '10%' },
    }),
  ])
  const kept = world.api.read(ownKinds.blueprints, 'holdfast', 'holdfast-verification')
  expect(kept?.actions?.['check']?.phases?.[0]).toMatchObject({ func: 'CheckRepository' })
  // In the language that holds without the field, too, which a Kanister's CRD drops.
  expect(kept?.templateLanguage).toBe('GoTemplate')
  expect(kept?.actions?.['check']?.phases?.[0]?.args).toMatchObject({ backupArtifactPrefix: '{{ .Options.repository }}' })
}, 60_000)

test('a backup whose data is not in the bucket is disproved before anything is made', async () => {
  const lost = aRecord(8, { artifacts: { dump: { keyValue: { path: 'mysql/gone.sql' } } } })
  await putRecord(bucket.location, lost)
  await open()
  world.verification('v', { record: recordKey(lost) })

  const status = await world.ended('v')

  expect(status).toMatchObject({ state: 'failed', disproved: true, message: expect.stringContaining('mysql/gone.sql') })
  expect(statesOf('v')).toEqual(['failed', 'skipped', 'skipped', 'skipped', 'complete'])
  expect(world.actionSets).toEqual([])
})

test('a record that is gone is named', async () => {
  await open()
  world.verification('v', { record: record.replace('u7aaaaaa', 'u7bbbbbb') })

  expect(await world.ended('v')).toMatchObject({
    disproved: true,
    message: expect.stringContaining('the record holdfast/records/shop'),
  })
})

test('without the rights it fails at once and says so; that says nothing about the backup', async () => {
  await open()
  world.missingRight = 'the engine may not create namespaces: apply deploy/verification.yaml'
  world.verification('v', { record })

  const status = await world.ended('v')

  expect(status).toMatchObject({ state: 'failed', message: `restore: ${world.missingRight}` })
  expect(status.disproved).toBeUndefined()
  expect(status.proof).toBeUndefined()
  expect(world.actionSets).toEqual([])
})

test('a Blueprint without a verify action: the data was restored, and that is said', async () => {
  await open()
  world.blueprint({ restore: {} })
  world.verification('v', { record })

  const status = await world.ended('v')

  expect(status).toMatchObject({ state: 'complete', message: '' })
  expect(status.steps?.find(({ name }) => name === 'verify')).toMatchObject({
    state: 'skipped',
    message: expect.stringContaining('has no action "verify"'),
  })
})

test('a restore that fails disproves the backup; its namespace goes, or stays when somebody wants to look', async () => {
  await open()
  world.ends = (action) =>
    action === 'restore' ? { state: 'failed', reason: 'Failed', error: { message: 'bad dump' } } : undefined
  world.verification('goes', { record })
  const gone = await world.ended('goes')
  expect(gone).toMatchObject({ disproved: true, message: 'restore: bad dump' })
  expect(world.namespaces).toEqual([])

  world.verification('stays', { record, restore: { keepOnFailure: true } })
  const kept = await world.ended('stays')
  await world.clock.turnTo(world.clock.now() + 120_000)
  expect(world.namespaces).toEqual([kept.namespace])

  world.api.remove(ownKinds.verifications, 'holdfast', 'stays')
  await world.until('its namespace to be gone', () => world.namespaces.length === 0)
})

test('what is not done in its time is cancelled, and says nothing about the backup', async () => {
  await open()
  world.ends = () => undefined
  world.verification('v', { record, restore: { timeout: '1m' } })

  const status = await world.ended('v')

  expect(status).toMatchObject({ state: 'failed', message: expect.stringContaining('did not end in time') })
  expect(status.disproved).toBeUndefined()
  expect(world.actionSets[0]?.metadata.annotations?.['holdfast.dev/cancel']).toBe('true')
  expect(world.namespaces).toEqual([])
})

test('a Verification that is deleted in the middle takes everything with it', async () => {
  await open()
  world.ends = () => undefined
  world.verification('v', { record })
  await world.until('the restore', () => world.actionSets.length === 1)

  world.api.remove(ownKinds.verifications, 'holdfast', 'v')

  await world.until('the end of its namespace', () => world.namespaces.length === 0)
  expect(world.actionSets[0]?.status).toMatchObject({ state: 'failed', reason: 'Cancelled' })
})

test('one at a time, the oldest first', async () => {
  world = new VerificationWorld(bucket.place, recorded)
  world.ends = () => undefined
  world.verification('b', { record })
  await world.clock.turnTo(world.clock.now() + 1_000)
  world.verification('a', { record })
  await world.startEngine()
  await world.until('the first restore', () => world.actionSets.length === 1)
  expect(world.status('a').state).toBeUndefined()

  world.ends = () => ({ state: 'complete' })
  await world.ended('b')
  await world.ended('a')
  expect(Date.parse(world.status('a').startedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(world.status('b').endedAt ?? ''))
})

test('an engine killed while it waits goes on where it was; one killed while it makes the application begins anew', async () => {
  world = new VerificationWorld(bucket.place, recorded)
  const first = { dead: false }
  world.ends = () => undefined
  world.verification('v', { record })
  await world.startEngine(first)
  await world.until('the restore', () => world.status('v').actionSet === 'v-restore-1')
  first.dead = true
  world.forgetEngine()
  await world.startEngine()
  world.ends = () => ({ state: 'complete' })
  expect(await world.ended('v')).toMatchObject({ state: 'complete', attempt: 1 })
  await world.stopEngine()

  const second = { dead: false }
  world.makes = () => new Promise(() => undefined)
  world.verification('w', { record })
  await world.startEngine(second)
  await world.until('its namespace', () => world.namespaces.length === 1)
  const [before] = world.namespaces
  second.dead = true
  world.forgetEngine()
  world.makes = () => undefined
  await world.startEngine()

  expect(await world.ended('w')).toMatchObject({ state: 'complete', attempt: 2 })
  expect(world.namespaces).toEqual([])
  expect(world.actionSets.at(-1)?.spec?.actions?.[0]?.object?.namespace).not.toBe(before)
})

test('killed at any request, it comes to its end, and nothing is left', async () => {
  for (let at = 1; ; at++) {
    world = new VerificationWorld(bucket.place, recorded)
    const process = { dead: false }
    let requests = 0
    world.api.after = (request) => {
      if (request.process === process && ++requests === at) process.dead = true
    }
    world.verification('v', { record })
    await world.startEngine(process)
    await world.until('the end or the kill', () => process.dead || world.status('v').endedAt !== undefined)
    if (!process.dead) break
    world.forgetEngine()
    await world.startEngine()
    expect(await world.ended('v'), `killed after request ${at}`).toMatchObject({ state: 'complete', message: '' })
    expect(world.namespaces, `killed after request ${at}`).toEqual([])
    await world.stopEngine()
    expect(at).toBeLessThan(100)
  }
}, 120_000)

test('trouble that passes makes a new attempt; after three it is said what the trouble was', async () => {
  await open()
  let tries = 0
  world.makes = () => {
    if (++tries < 3) throw kubeError('KUBE_SERVER', 'the API server is away')
  }
  world.verification('v', { record })
  expect(await world.ended('v')).toMatchObject({ state: 'complete', attempt: 3 })

  world.makes = () => {
    throw kubeError('KUBE_SERVER', 'the API server is away')
  }
  world.verification('w', { record })
  const status = await world.ended('w')
  expect(status).toMatchObject({ state: 'failed', attempt: 3, message: 'restore: the API server is away' })
  expect(status.disproved).toBeUndefined()
  expect(world.namespaces).toEqual([])
})

test('blockers of the plan fail it; only data that is missing disproves the backup', async () => {
  await open()
  world.makes = () => {
    throw recoveryError('RECOVERY_BLOCKED', 'quota', { details: { lacksData: false } })
  }
  world.verification('v', { record })
  expect((await world.ended('v')).disproved).toBeUndefined()

  world.makes = () => {
    throw recoveryError('RECOVERY_BLOCKED', 'data', { details: { lacksData: true } })
  }
  world.verification('w', { record })
  expect(await world.ended('w')).toMatchObject({ disproved: true, message: 'restore: data' })
})

test('an engine that starts removes namespaces whose Verification is gone, and no others', async () => {
  world = new VerificationWorld(bucket.place, recorded)
  const labels = { 'holdfast.dev/verification': 'old' }
  const own = {
    'holdfast.dev/verification': 'old',
    'holdfast.dev/verification-uid': 'u',
    'holdfast.dev/verification-namespace': 'holdfast',
  }
  const put = (name: string, metadata: object): void =>
    void world.api.put(kinds.namespaces, { metadata: { name, ...metadata } } as Namespace)
  put('left', { labels, annotations: own })
  put('of-another', { labels, annotations: { ...own, 'holdfast.dev/verification-namespace': 'elsewhere' } })
  put('only-labelled', { labels })
  await world.startEngine()

  await world.until('the end of what was left', () => !world.namespaces.includes('left'))
  expect(world.namespaces.toSorted()).toEqual(['of-another', 'only-labelled'])
})

test('one that is made again under its name is not proven by what the one before it did, which the watch still shows', async () => {
  await open()
  world.verification('v', { record })
  await world.ended('v')
  world.api.watchFault = ({ resource }) => (resource === 'actionsets' ? 'lose' : undefined)
  // As the garbage collector does with what it owned.
  for (const { metadata } of world.actionSets) world.api.remove(ownKinds.actionSets, 'holdfast', metadata.name ?? '')
  world.api.remove(ownKinds.verifications, 'holdfast', 'v')
  world.ends = () => ({ state: 'failed', error: { message: 'no such dump' } })
  world.verification('v', { record })

  expect(await world.ended('v')).toMatchObject({ state: 'failed', message: 'restore: no such dump', disproved: true })
})

test('a step that ended in time has, although the watch never shows its end', async () => {
  await open()
  world.ends = () => {
    world.api.watchFault = ({ resource }) => (resource === 'actionsets' ? 'lose' : undefined)
    return { state: 'complete' }
  }
  world.verification('v', { record })

  expect(await world.ended('v')).toMatchObject({ state: 'complete', message: '' })
})

test('a namespace of that name which somebody else made is left alone', async () => {
  await open()
  world.makes = () => {
    const [name = ''] = world.namespaces
    world.api.put(kinds.namespaces, { metadata: { name, labels: { theirs: 'yes' } } } as unknown as Namespace)
  }
  world.verification('v', { record })

  expect(await world.ended('v')).toMatchObject({
    state: 'failed',
    message: expect.stringContaining('was not made for this Verification'),
  })
  expect(world.namespaces).toHaveLength(1)
})

test('old ones go when their time is over; the newest of an object stays', async () => {
  world = new VerificationWorld(bucket.place, recorded)
  world.verification('first', { record }, { state: 'complete', endedAt: '2026-04-01T00:00:00Z' })
  world.verification('second', { record }, { state: 'failed', endedAt: '2026-04-02T00:00:00Z' })
  await world.startEngine()

  await world.until('the first to be gone', () => world.api.read(ownKinds.verifications, 'holdfast', 'first') === undefined)
  expect(world.api.read(ownKinds.verifications, 'holdfast', 'second')).toBeDefined()
})
