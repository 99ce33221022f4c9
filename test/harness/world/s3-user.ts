import { randomBytes } from 'node:crypto'
import { PutBucketPolicyCommand } from '@aws-sdk/client-s3'
import { findCluster } from '../cluster/cluster.ts'
import { run } from '../machine/command.ts'
import { harnessFolders } from '../machine/folders.ts'
import { s3Client } from './fixtures.ts'
import type { World } from './world.ts'

export interface S3User {
  readonly accessKey: string
  readonly secretKey: string
}

/**
 * Another user of our S3 server, who may do `actions` (`s3:GetObject`, …) in the bucket and nothing else. The owner is
 * above all policies, so a test of denied rights needs one.
 */
export async function createS3User(world: World, bucket: string, actions: readonly string[]): Promise<S3User> {
  const user = { accessKey: `user${randomBytes(6).toString('hex')}`, secretKey: randomBytes(20).toString('hex') }
  const versitygw = findCluster(harnessFolders())?.go.versitygw
  if (!versitygw) throw new Error('users can be made on the S3 server of the harness only, and it does not run')
  await run(versitygw, ['admin', 'create-user', '--access', user.accessKey, '--secret', user.secretKey, '--role', 'user'], {
    env: {
      ADMIN_ACCESS_KEY: world.s3.accessKey,
      ADMIN_SECRET_KEY: world.s3.secretKey,
      ADMIN_ENDPOINT_URL: world.s3.endpoint,
      ADMIN_REGION: world.s3.region,
    },
  })
  const policy = {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { AWS: [user.accessKey] },
        Action: actions,
        Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
      },
    ],
  }
  const client = s3Client(world.s3)
  try {
    await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: JSON.stringify(policy) }))
  } finally {
    client.destroy()
  }
  return user
}
