import { expect, test, vi } from 'vitest'
import { catalogCommands } from '../../../src/cli/commands/catalog/define.ts'
import type { BackupDeps } from '../../../src/cli/commands/backup/deps.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'
import { openRepository } from '../../../src/repository/open-repository.ts'
import { pushObject } from '../../../src/store/plain-object.ts'
import { withPrefix } from '../../../src/store/with-prefix.ts'
import type { RecoveryPlace } from '../../../src/recovery/place.ts'
import { FakeApi } from '../../build/fake-api.ts'
import { TurnedClock } from '../../build/turned-clock.ts'
import { pieces } from '../repository/streams.ts'
import { aBucket, aRecord, putRecord, recoveryKey } from './a-bucket.ts'

// Keys of repositories are slow to make on purpose.
vi.setConfig({ testTimeout: 60_000 })

const day = 86_400_000
const api = new FakeApi()

interface Report {
  readonly findings: readonly { readonly level: string; readonly message: string }[]
  readonly strays: readonly { readonly kind: string; readonly id?: string; readonly key?: string }[]
  readonly removed: readonly unknown[]
}

async function check(place: RecoveryPlace, ...words: string[]): Promise<Report & { readonly exitCode: number }> {
  let out = ''
  let exitCode = 0
  const cluster = { kube: api.kube(), namespace: 'holdfast', profile: { name: 'p', namespace: 'holdfast' } }
  const deps = {
    output: { out: (text) => void (out += text), err: () => undefined, live: false },
    clock: new TurnedClock(Date.now() + 8 * day),
    signal: new AbortController().signal,
    finish: (code) => void (exitCode = code),
    open: () => Promise.resolve({ place, cluster, [Symbol.asyncDispose]: () => Promise.resolve() }),
  } as Partial<BackupDeps> as BackupDeps
  await catalogCommands(deps).parseAsync(['check', '-o', 'json', ...words], { from: 'user' })
  return { ...(JSON.parse(out) as Report), exitCode }
}

/** A dump whose backup did not end, and one that `kando` pushed for a backup that did not. */
async function withStrays() {
  const bucket = await aBucket()
  const repository = await openRepository(withPrefix(bucket.place.root, 'team/holdfast/shop'), { recoveryKey })
  const { snapshotId } = await repository.backupStream({
    stream: pieces(Buffer.from('half of a dump'), 5),
    filename: 'x',
    tags: [],
  })
  await pushObject(bucket.place.root, 'team/mysql/tomorrow.sql', pieces(Buffer.from('x'), 1))
  return { ...bucket, snapshotId }
}

test('a catalog that fits what is there has nothing to say', async () => {
  const { place } = await aBucket()
  expect(await check(place)).toMatchObject({ findings: [], strays: [], doubts: [], exitCode: 0 })
})

test('data that no record names is found, a snapshot and a pushed object, and stays', async () => {
  const { place, snapshotId } = await withStrays()
  const wanted = [
    { kind: 'snapshot', id: snapshotId },
    { kind: 'object', key: 'team/mysql/tomorrow.sql' },
  ]
  expect(await check(place)).toMatchObject({ findings: [], strays: wanted, removed: [], exitCode: 0 })
  expect((await check(place)).strays).toHaveLength(2)
})

test('it is removed after the time that was given, and what backups name stays', async () => {
  const { place } = await withStrays()
  expect((await check(place, '--remove-after', '240h')).removed).toEqual([])
  expect((await check(place, '--remove-after', '168h')).removed).toHaveLength(2)
  expect(await check(place)).toMatchObject({ findings: [], strays: [], exitCode: 0 })
})

test('it stays when an ActionSet of the cluster names it: a backup that was not catalogued', async () => {
  const { place, snapshotId } = await withStrays()
  const actionSet = {
    metadata: { name: 'uncatalogued', namespace: 'holdfast' },
    status: { artifacts: { snapshot: snapshotId } },
  }
  api.put(ownKinds.actionSets, actionSet as never)
  expect((await check(place, '--remove-after', '168h')).removed).toMatchObject([{ kind: 'object' }])
})

test('nothing is removed while a record cannot be read, or without a time to wait', async () => {
  const { place, location } = await withStrays()
  await expect(check(place, '--remove-after', '1h')).rejects.toThrow(/at least 24h/)
  await location.put('holdfast/records/shop/statefulset-db/20260101T000300Z-u3-0.json', Buffer.from('{"half": '))
  await expect(check(place, '--remove-after', '168h')).rejects.toThrow(/nothing was removed: .*it is not JSON/)
})

test('what a record names by a URL stays, whether or not we know what the URL means', async () => {
  const { place, location } = await aBucket()
  for (const name of ['one', 'two', 'nobodys'])
    await pushObject(place.root, `team/urls/${name}.sql`, pieces(Buffer.from('x'), 1))
  const url = (text: string) => ({ artifacts: { dump: { keyValue: { url: text } } } })
  await putRecord(location, aRecord(7, url('s3://b/team/urls/one.sql')))
  await putRecord(location, aRecord(8, url('https://s3.example.com/b/team/urls/two.sql')))

  const { removed } = await check(place, '--remove-after', '168h')

  expect(removed).toMatchObject([{ key: 'team/urls/nobodys.sql' }])
})

test('nothing is removed while the data of a record is not found: it may have moved', async () => {
  const { place, location } = await withStrays()
  const output = { snapshotID: 'ab'.repeat(32), repository: 'holdfast/shop', path: '/x', size: '1', sha256: '' }
  await putRecord(location, aRecord(7, { phases: [{ name: 'dump', func: 'BackupStream', output }] }))

  await expect(check(place, '--remove-after', '168h')).rejects.toThrow(/nothing was removed: .*abababab/)
})

test('a record without its data is damage, also when one object is asked for', async () => {
  const { place, location } = await aBucket()
  const output = { snapshotID: 'ab'.repeat(32), repository: 'holdfast/shop', path: '/x', size: '1', sha256: '' }
  await putRecord(location, aRecord(7, { phases: [{ name: 'dump', func: 'BackupStream', output }] }))
  const { findings, exitCode } = await check(place, '--object', 'shop/statefulset/db')
  expect(findings).toContainEqual(expect.objectContaining({ level: 'damage', message: expect.stringContaining('abababab') }))
  expect(exitCode).toBe(3)
})
