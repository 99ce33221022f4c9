import type { HeadObjectCommandOutput } from '@aws-sdk/client-s3'
import { storeError } from '../errors.ts'
import type { CallOptions, ObjectInfo } from '../object-store.ts'
import type { S3Connection } from './connection.ts'

/** Undefined when the object is absent, and only then: not when the bucket or the user is. */
export async function headObject(connection: S3Connection, key: string, options: CallOptions): Promise<ObjectInfo | undefined> {
  try {
    return await ask(connection, key, options)
  } catch (error) {
    if (!storeError.is(error, 'STORE_NOT_FOUND')) throw error
  }
  return (await isAbsent(connection, key, options)) ? undefined : ask(connection, key, options)
}

async function ask(connection: S3Connection, key: string, options: CallOptions): Promise<ObjectInfo> {
  const found = await connection.send(
    `check of object "${key}"`,
    (client, sdk, abortSignal) =>
      client.send(new sdk.HeadObjectCommand({ Bucket: connection.bucket, Key: key }), { abortSignal }),
    options,
  )
  return {
    key,
    sizeBytes: found.ContentLength ?? 0,
    ...(found.ETag === undefined ? {} : { etag: found.ETag }),
    ...(found.LastModified === undefined ? {} : { modified: found.LastModified.getTime() }),
    ...lockOf(found),
  }
}

/** A legal hold has no end of its own. */
function lockOf(found: HeadObjectCommandOutput): Pick<ObjectInfo, 'lockedUntil'> {
  if (found.ObjectLockLegalHoldStatus === 'ON') return { lockedUntil: Infinity }
  const until = found.ObjectLockRetainUntilDate?.getTime()
  return until === undefined ? {} : { lockedUntil: until }
}

/** A 404 to HEAD has no body that says what is missing; that to GET has. */
async function isAbsent(connection: S3Connection, key: string, options: CallOptions): Promise<boolean> {
  const input = { Bucket: connection.bucket, Key: key, Range: 'bytes=0-0' }
  try {
    await connection.send(
      `check of object "${key}"`,
      async (client, sdk, abortSignal) => {
        const { Body } = await client.send(new sdk.GetObjectCommand(input), { abortSignal })
        await Body?.transformToByteArray()
      },
      options,
    )
  } catch (error) {
    if (storeError.is(error, 'STORE_NOT_FOUND')) return true
    // 416: it is there by now, and empty.
    if (storeError.is(error) && error.details['status'] === 416) return false
    throw error
  }
  return false
}
