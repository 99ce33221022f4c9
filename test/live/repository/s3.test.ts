import { randomBytes } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { openOrInitRepository, openRepository } from '../../../src/repository/open-repository.ts'
import type { Repository } from '../../../src/repository/repository.ts'
import type { ObjectStore } from '../../../src/store/object-store.ts'
import { S3Store } from '../../../src/store/s3.ts'
import { withPrefix } from '../../../src/store/with-prefix.ts'
import { type ResticRepository, ensureRestic, restic } from '../../harness/restic.ts'
import { type TestBucket, useTestBuckets } from '../../harness/s3/test-buckets.ts'
import { useWorld } from '../../harness/world/fixtures.ts'
import { bytesOf, pieces } from '../../unit/repository/streams.ts'

const buckets = useTestBuckets(useWorld())
const options = { passwords: ['w'] }
const input = Buffer.concat([randomBytes(40 << 20), Buffer.alloc(9 << 20, 'some text, ')])

let store: ObjectStore
let repository: Repository
let theirs: ResticRepository

beforeAll(async () => {
  await ensureRestic()
  const settings = await buckets.create()
  store = withPrefix(new S3Store(settings), 'tenant/a')
  repository = await openOrInitRepository(store, options, { keys: [{ workingPassword: 'w' }] })
  theirs = resticAt(settings, 'tenant/a')
})

test('a stream goes to S3 and comes back, and the real restic agrees', async () => {
  const { snapshotId } = await repository.backupStream({ stream: pieces(input, 1 << 20), filename: 'dump' })

  expect((await bytesOf(repository.restoreStream({ snapshot: { id: snapshotId } }))).equals(input)).toBe(true)
  expect(restic(theirs, ['check', '--read-data']).toString()).toContain('no errors were found')
  expect(restic(theirs, ['dump', snapshotId, '/dump']).equals(input)).toBe(true)
  expect((await repository.check({ readData: true })).findings).toEqual([])
})

test('of several makers one makes the repository', async () => {
  const place = withPrefix(store, 'race')

  const made = await Promise.all(
    Array.from({ length: 3 }, () => openOrInitRepository(place, options, { keys: [{ workingPassword: 'w' }] })),
  )

  expect(new Set(made.map(({ id }) => id)).size).toBe(1)
})

test('an aborted backup leaves neither snapshot nor lock', async () => {
  const own = new AbortController()
  const before = (await repository.snapshots()).length
  async function* aborting(): AsyncGenerator<Uint8Array> {
    yield randomBytes(30 << 20)
    own.abort(new Error('cancelled'))
    yield randomBytes(30 << 20)
  }

  await expect(repository.backupStream({ stream: aborting(), filename: 'f', signal: own.signal })).rejects.toThrow('cancelled')

  expect(await repository.snapshots()).toHaveLength(before)
  expect(await Array.fromAsync(store.list('locks/'))).toEqual([])
})

test('a prune in S3 gives back what a forgotten snapshot took; the real restic agrees', async () => {
  const settings = await buckets.create()
  const place = withPrefix(new S3Store(settings), 'pruned')
  const own = await openOrInitRepository(place, options, { keys: [{ workingPassword: 'w' }] })
  const gone = await own.backupStream({ stream: pieces(input, 1 << 20), filename: 'dump' })
  const half = input.subarray(20 << 20)
  const stays = await own.backupStream({ stream: pieces(half, 1 << 20), filename: 'dump' })
  await own.forgetSnapshot(gone.snapshotId)

  const { bytesFreed } = await own.prune()

  expect(bytesFreed).toBeGreaterThan(17 << 20)
  expect(restic(resticAt(settings, 'pruned'), ['check', '--read-data']).toString()).toContain('no errors were found')
  expect((await bytesOf(own.restoreStream({ snapshot: { id: stays.snapshotId } }))).equals(half)).toBe(true)
})

test('what the real restic keeps in S3 is read', async () => {
  const settings = await buckets.create()
  const at = resticAt(settings, 'theirs')
  restic(at, ['init'])
  restic(at, ['backup', '--stdin', '--stdin-filename', 'dump'], { input })

  const opened = await openRepository(withPrefix(new S3Store(settings), 'theirs'), options)

  expect((await bytesOf(opened.restoreStream({ snapshot: { latest: true } }))).equals(input)).toBe(true)
})

function resticAt({ endpoint, bucket, credentials }: TestBucket, prefix: string): ResticRepository {
  const env = { AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey }
  return { at: `s3:${endpoint}/${bucket}/${prefix}`, password: 'w', env }
}
