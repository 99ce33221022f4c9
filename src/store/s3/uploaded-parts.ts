import type { ListPartsCommandOutput } from '@aws-sdk/client-s3'
import type { S3Connection } from './connection.ts'

/** What a store has of an unfinished upload in parts, page by page. */
export async function* uploadedParts(
  connection: S3Connection,
  key: string,
  id: string,
  signal: AbortSignal,
): AsyncGenerator<ListPartsCommandOutput> {
  let marker: string | undefined
  do {
    const from = marker === undefined ? {} : { PartNumberMarker: marker }
    const input = { Bucket: connection.bucket, Key: key, UploadId: id, ...from }
    const page: ListPartsCommandOutput = await connection.send(
      `parts of an unfinished upload of object "${key}"`,
      (client, sdk, abortSignal) => client.send(new sdk.ListPartsCommand(input), { abortSignal }),
      { signal },
    )
    yield page
    marker = page.IsTruncated ? page.NextPartNumberMarker : undefined
  } while (marker !== undefined)
}
