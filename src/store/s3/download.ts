import type { Readable } from 'node:stream'
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3'
import { storeError } from '../errors.ts'
import type { GetStreamOptions } from '../object-store.ts'
import { type DownloadPosition, resumedDownload } from '../resumed-download.ts'
import type { S3Connection } from './connection.ts'

/** An object, or a range of it, as a stream that goes on after breaks. */
export function downloadObject(connection: S3Connection, key: string, options: GetStreamOptions): AsyncGenerator<Uint8Array> {
  return resumedDownload(connection, key, options, (position, signal) => open(connection, position, signal))
}

async function open(connection: S3Connection, position: DownloadPosition, signal: AbortSignal): Promise<Readable | undefined> {
  const { key, at, end, etag } = position
  const ranged = at > 0 || end !== undefined
  const input = {
    Bucket: connection.bucket,
    Key: key,
    ...(ranged ? { Range: `bytes=${at}-${end === undefined ? '' : end - 1}` } : {}),
    ...(etag === undefined ? {} : { IfMatch: etag }),
  }
  try {
    const what = `read of object "${key}"`
    const found = await connection.unbounded(
      what,
      (client, sdk, abortSignal) => client.send(new sdk.GetObjectCommand(input), { abortSignal }),
      signal,
    )
    // In Node the SDK's body is the response itself, a Readable.
    const body = found.Body as Readable
    if (at > 0 && found.ContentRange === undefined) {
      body.destroy()
      throw storeError(
        'STORE_REFUSED',
        `${connection.where} does not answer ranges: object "${key}" cannot be read from byte ${at}`,
      )
    }
    position.etag = found.ETag
    position.end = await endOf(connection, position, found, signal)
    return body
  } catch (error) {
    if (storeError.is(error, 'STORE_EXISTS')) {
      throw storeError(
        'STORE_CHANGED',
        `object "${key}" in ${connection.where} was replaced while it was read: read it again`,
        { cause: error },
      )
    }
    if (storeError.is(error) && error.details['status'] === 416) return undefined
    throw error
  }
}

/** Without a length (an answer in chunks) a short answer would look whole, so the store is asked. */
async function endOf(
  connection: S3Connection,
  { key, at, end }: DownloadPosition,
  { ContentLength, ContentRange }: GetObjectCommandOutput,
  signal: AbortSignal,
): Promise<number | undefined> {
  // A store that ignores the range answers with the whole object; `deliver` cuts what is too much.
  if (ContentLength !== undefined)
    return Math.min(at + ContentLength, ContentRange === undefined ? (end ?? Infinity) : Infinity)
  const last = /^bytes \d+-(\d+)\//.exec(ContentRange ?? '')?.[1]
  if (last !== undefined) return Number(last) + 1
  const input = { Bucket: connection.bucket, Key: key }
  const what = `check of object "${key}"`
  const head = await connection.send(
    what,
    (client, sdk, abortSignal) => client.send(new sdk.HeadObjectCommand(input), { abortSignal }),
    {
      signal,
    },
  )
  return head.ContentLength
}
