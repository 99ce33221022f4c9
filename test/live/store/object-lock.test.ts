import { randomBytes } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { openOrInitRepository } from '../../../src/repository/open-repository.ts'
import { S3Store } from '../../../src/store/s3.ts'
import type { S3Settings } from '../../../src/store/s3/settings.ts'
import { withPrefix } from '../../../src/store/with-prefix.ts'
import { chunksOf, cut, keysBelow, patterned } from '../../conformance/object-store.ts'
import { useTestBuckets } from '../../harness/s3/test-buckets.ts'
import { useWorld } from '../../harness/world/fixtures.ts'

const buckets = useTestBuckets(useWorld())
const dayMs = 86_400_000

let settings: S3Settings
let store: S3Store
beforeAll(async () => {
  settings = { ...(await buckets.create({ objectLock: true })), retention: { mode: 'GOVERNANCE', days: 1 } }
  store = new S3Store(settings)
})

test('what is put stays for the days that the Profile says, in one piece or in parts', async () => {
  const before = Date.now()
  await store.put('one', Buffer.from('x'))
  await store.putStream('parts', chunksOf(cut(patterned(20 * 1024 * 1024), [1_000_000])))

  for (const key of ['one', 'parts']) {
    const until = (await store.head(key))?.lockedUntil ?? 0
    expect(Math.abs(until - before - dayMs)).toBeLessThan(60_000)
    await expect(store.delete(key)).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      message: expect.stringContaining('stays: locked until') as string,
    })
  }
  expect(await keysBelow(store, '')).toEqual(['one', 'parts'])
})

test('of many keys the free ones go and the locked ones are said', async () => {
  await store.put('many/locked', Buffer.from('x'))
  await store.put('many/free', Buffer.from('x'), { retain: false })

  await expect(store.deleteMany(['many/locked', 'many/free', 'many/absent'])).rejects.toMatchObject({
    code: 'STORE_LOCKED',
    message: expect.stringContaining('many/locked') as string,
  })

  expect(await keysBelow(store, 'many/')).toEqual(['many/locked'])
})

test('the server itself keeps what is locked', async () => {
  await store.put('kept', Buffer.from('x'))
  const { retention: _none, ...plain } = settings

  await expect(new S3Store(plain).delete('kept')).rejects.toMatchObject({ code: 'STORE_LOCKED' })
})

test('a repository works on it, and prune leaves packs that are locked, and says so', async () => {
  const place = withPrefix(store, 'repository')
  const repository = await openOrInitRepository(place, { passwords: ['w'] }, { keys: [{ workingPassword: 'w' }] })
  await repository.backupStream({ stream: chunksOf([randomBytes(1 << 20)]), filename: 'whole' })
  // Left by a backup that was killed: a pack that no index knows.
  await place.put(`data/ab/${'ab'.repeat(32)}`, randomBytes(1000))
  const packs = await keysBelow(place, 'data/')
  const warnings: string[] = []

  const result = await repository.prune({ onWarning: (text) => warnings.push(text) })

  expect(result.packsDeleted).toBe(0)
  expect(await keysBelow(place, 'data/')).toEqual(packs)
  expect(warnings.join('\n')).toContain("the bucket's Object Lock keeps them")
  expect(await keysBelow(place, 'locks/')).toEqual([])
  expect((await repository.check({ readData: true })).findings).toEqual([])
})

test('a prune in steps leaves what is locked, marks and removes the rest, and says so', async () => {
  const place = withPrefix(store, 'steps')
  const repository = await openOrInitRepository(place, { passwords: ['w'] }, { keys: [{ workingPassword: 'w' }] })
  const kept = await repository.backupStream({ stream: chunksOf([randomBytes(1 << 20)]), filename: 'whole' })
  await place.put(`data/ab/${'ab'.repeat(32)}`, randomBytes(1000))
  await place.put(`data/cd/${'cd'.repeat(32)}`, randomBytes(1000), { retain: false })
  const warnings: string[] = []
  const prune = () => repository.pruneInSteps({ graceMs: 0, onWarning: (text) => warnings.push(text) })

  const marked = await prune()
  const swept = await prune()

  expect(marked.waiting).toEqual({ packs: 1, bytes: 1000 })
  expect(swept.swept).toMatchObject({ packsDeleted: 1, bytesFreed: 1000 })
  expect(await keysBelow(place, 'data/ab/')).toHaveLength(1)
  expect(await keysBelow(place, 'data/cd/')).toEqual([])
  expect(warnings.join('\n')).toContain("the bucket's Object Lock keeps them")
  expect((await repository.check({ readData: true })).findings).toEqual([])
  expect((await repository.snapshots()).map(({ id }) => id)).toEqual([kept.snapshotId])
})

test.each(['prune', 'pruneInSteps'] as const)(
  '%s ends well where the bucket locks what the Profile knows nothing of, and takes it later',
  async (how) => {
    // A rule of the bucket: this Profile says nothing of a lock, so nothing is asked for one.
    const { retention: _none, ...plain } = settings
    const unaware = new S3Store(plain)
    const place = withPrefix(unaware, how)
    const repository = await openOrInitRepository(place, { passwords: ['w'] }, { keys: [{ workingPassword: 'w' }] })
    const gone = await repository.backupStream({ stream: chunksOf([randomBytes(1 << 20)]), filename: 'gone' })
    const kept = await repository.backupStream({ stream: chunksOf([randomBytes(1 << 20)]), filename: 'kept' })
    const orphan = `data/ab/${'ab'.repeat(32)}`
    await withPrefix(store, how).put(orphan, randomBytes(1000))
    await repository.forgetSnapshot(gone.snapshotId)
    const warnings: string[] = []
    const onWarning = (text: string) => void warnings.push(text)
    const run = async () =>
      how === 'prune'
        ? (await repository.prune({ onWarning })).packsDeleted
        : (await repository.pruneInSteps({ graceMs: 0, onWarning })).swept.packsDeleted

    const first = await run()
    const second = await run()

    expect(Math.max(first, second)).toBeGreaterThan(0)
    expect(await keysBelow(place, orphan)).toEqual([orphan])
    expect(warnings.join('\n')).toContain(
      "1 packs of 1000 bytes that are not needed, or not whole, stay: the bucket's Object Lock keeps them",
    )
    expect((await repository.check({ readData: true })).findings).toEqual([])
    expect((await repository.snapshots()).map(({ id }) => id)).toEqual([kept.snapshotId])
  },
)
