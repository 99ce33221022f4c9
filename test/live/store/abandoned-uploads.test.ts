import { CreateMultipartUploadCommand, UploadPartCommand } from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { S3Store } from '../../../src/store/s3.ts'
import { useTestBuckets } from '../../harness/s3/test-buckets.ts'
import { useWorld, withS3 } from '../../harness/world/fixtures.ts'

const world = useWorld()
const buckets = useTestBuckets(world)
const hourMs = 3_600_000
const pack = `elsewhere/data/ab/${'ab'.repeat(32)}`

test('uploads that nobody feeds any more are aborted, of our own keys only', async () => {
  const settings = await buckets.create()
  const { bucket: Bucket } = settings
  await using store = new S3Store(settings)
  await withS3(world().s3, async (client) => {
    for (const Key of ['team/dump', 'teammate/dump', pack, 'x.holdfast-section-1']) {
      const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }))
      await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: Buffer.from('part') }))
    }
  })

  expect(await store.removeAbandoned(Date.now() - hourMs, { prefix: 'team' })).toBe(0)
  expect(await buckets.openUploads(Bucket)).toHaveLength(4)

  expect(await store.removeAbandoned(Date.now() + hourMs)).toBe(2)
  expect((await buckets.openUploads(Bucket)).toSorted()).toEqual(['team/dump', 'teammate/dump'])

  expect(await store.removeAbandoned(Date.now() + hourMs, { prefix: 'team' })).toBe(1)
  expect(await buckets.openUploads(Bucket)).toEqual(['teammate/dump'])
})
