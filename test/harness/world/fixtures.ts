import { randomBytes } from 'node:crypto'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect } from 'vitest'
import { removeBucket } from './bucket.ts'
import { openWorld, type World, type WorldS3 } from './world.ts'

/**
 * The world of a test file, ready in its `beforeAll` hooks and tests. Call at the top level of the file:
 *
 *     const world = useWorld()
 *     const namespace = useNamespace(world)
 *     const bucket = useBucket(world)
 *     it('…', async () => { await world().kubectl(['get', 'pods', '-n', namespace]) })
 */
export function useWorld(): () => World {
  let world: World | undefined
  beforeAll(async () => {
    world = await openWorld()
  }, 30 * 60_000)
  return () => {
    if (!world) throw new Error('the world is there in hooks and tests only, not while the file is read')
    return world
  }
}

/** A namespace for this test file, removed with all in it at the end. Gives its name at once. */
export function useNamespace(world: () => World, prefix = 'test'): string {
  const name = freshName(prefix)
  beforeAll(() =>
    world()
      .kubectl(['create', 'namespace', name])
      .then(() => undefined),
  )
  afterAll(async () => {
    // Pods need not say goodbye; the rest is the cluster's business and nobody waits for it.
    await world().kubectl(['delete', 'pods', '--all', '-n', name, '--grace-period=0', '--force', '--wait=false'])
    await world().kubectl(['delete', 'namespace', name, '--wait=false'])
  })
  return name
}

/** A bucket for this test file, removed with all in it at the end. Gives its name at once. */
export function useBucket(world: () => World, prefix = 'test'): string {
  const name = freshName(prefix)
  beforeAll(() => withS3(world().s3, (client) => client.send(new CreateBucketCommand({ Bucket: name }))).then(() => undefined))
  afterAll(() => withS3(world().s3, (client) => removeBucket(client, name)))
  return name
}

/** A prefix of Redis keys or queue names for this test file. What is left under it dies with the test Redis. */
export function useKeyPrefix(): string {
  return `${freshName('test')}:`
}

/** `prefix-file-1f3a…`: says which file left something behind, and is unique. A DNS label of at most 50 characters. */
function freshName(prefix: string): string {
  const file = expect.getState().testPath?.match(/([^/]+)\.test\.[a-z]+$/)?.[1] ?? ''
  const plain = file
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 30)
  return [prefix, plain, randomBytes(4).toString('hex')].filter(Boolean).join('-').replace(/-+/g, '-')
}

/** An S3 client for the world's server; the caller destroys it. */
export function s3Client(s3: WorldS3): S3Client {
  return new S3Client({
    endpoint: s3.endpoint,
    region: s3.region,
    forcePathStyle: true,
    credentials: { accessKeyId: s3.accessKey, secretAccessKey: s3.secretKey },
  })
}

/** Does something with an S3 client for the world's server. */
export async function withS3<T>(s3: WorldS3, work: (client: S3Client) => Promise<T>): Promise<T> {
  const client = s3Client(s3)
  try {
    return await work(client)
  } finally {
    client.destroy()
  }
}
