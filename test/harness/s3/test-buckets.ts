import { randomBytes } from 'node:crypto'
import { CreateBucketCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3'
import { afterAll } from 'vitest'
import type { S3Keys, S3Settings } from '../../../src/store/s3/settings.ts'
import { removeBucket } from '../world/bucket.ts'
import { s3Client } from '../world/fixtures.ts'
import type { World } from '../world/world.ts'

export interface TestBuckets {
  /** A new empty bucket, removed with all in it after the tests of the file. */
  create(options?: { readonly objectLock?: boolean }): Promise<TestBucket>
  /** Keys of the uploads in parts that were neither completed nor aborted. */
  openUploads(bucket: string): Promise<string[]>
}

export type TestBucket = S3Settings & { readonly endpoint: string; readonly credentials: S3Keys }

/** For test files that need several buckets of the world's S3 server. */
export function useTestBuckets(world: () => World): TestBuckets {
  const names: string[] = []
  afterAll(async () => {
    const client = s3Client(world().s3)
    for (const name of names) await removeBucket(client, name)
    client.destroy()
  })
  return {
    async create({ objectLock = false } = {}) {
      const { s3 } = world()
      const bucket = `test-store-${randomBytes(6).toString('hex')}`
      const client = s3Client(s3)
      await client.send(
        new CreateBucketCommand({ Bucket: bucket, ...(objectLock ? { ObjectLockEnabledForBucket: true } : {}) }),
      )
      client.destroy()
      names.push(bucket)
      const credentials = { accessKeyId: s3.accessKey, secretAccessKey: s3.secretKey }
      return { bucket, endpoint: s3.endpoint, region: s3.region, credentials }
    },
    async openUploads(bucket) {
      const client = s3Client(world().s3)
      const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
      client.destroy()
      return (Uploads ?? []).map(({ Key }) => Key ?? '')
    },
  }
}
