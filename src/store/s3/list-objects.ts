import type { CallOptions, ObjectInfo } from '../object-store.ts'
import type { S3Connection } from './connection.ts'

/** Every object below a plain-text prefix, page by page. The next page is asked for when the last one was consumed. */
export async function* listObjects(
  connection: S3Connection,
  prefix: string,
  { signal }: CallOptions,
): AsyncGenerator<ObjectInfo> {
  let token: string | undefined
  do {
    const input = { Bucket: connection.bucket, Prefix: prefix, ...(token === undefined ? {} : { ContinuationToken: token }) }
    const page = await connection.send(
      `list of objects below "${prefix}"`,
      (client, sdk, abortSignal) => client.send(new sdk.ListObjectsV2Command(input), { abortSignal }),
      { signal },
    )
    for (const { Key, Size, ETag, LastModified } of page.Contents ?? []) {
      if (Key === undefined) continue
      yield {
        key: Key,
        sizeBytes: Size ?? 0,
        ...(ETag === undefined ? {} : { etag: ETag }),
        ...(LastModified === undefined ? {} : { modified: LastModified.getTime() }),
      }
    }
    token = page.IsTruncated ? page.NextContinuationToken : undefined
  } while (token !== undefined)
}
