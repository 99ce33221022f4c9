import type { MultipartUpload } from '@aws-sdk/client-s3'
import { besideMark } from '../manifest.ts'
import { storeError } from '../errors.ts'
import type { S3Connection } from './connection.ts'
import { uploadedParts } from './uploaded-parts.ts'

export interface AbandonedSearch {
  /** Uploads to which nobody has sent anything since then (epoch ms). */
  readonly before: number
  /** Folder that is the Profile's own. Empty: the bucket may be others' too, so only keys count that nobody but us makes. */
  readonly prefix: string
  readonly signal: AbortSignal
}

/** Aborts uploads in parts that killed processes left. Gives their keys. */
export async function removeAbandonedUploads(connection: S3Connection, search: AbandonedSearch): Promise<string[]> {
  const removed: string[] = []
  for await (const { Key, UploadId, Initiated } of unfinishedUploads(connection, search)) {
    if (Key === undefined || UploadId === undefined || Initiated === undefined) continue
    if (!isOurs(Key, search.prefix) || Initiated.getTime() >= search.before) continue
    if (await isFed(connection, Key, UploadId, search)) continue
    await abort(connection, Key, UploadId, search.signal)
    removed.push(Key)
  }
  return removed
}

/** Packs of repositories, and what we put beside objects. */
const ownKey = /(^|\/)data\/[0-9a-f]{2}\/[0-9a-f]{64}$/

function isOurs(key: string, prefix: string): boolean {
  if (prefix !== '' && key.startsWith(`${prefix}/`)) return true
  return key.includes(besideMark) || ownKey.test(key)
}

interface Marker {
  readonly KeyMarker?: string
  readonly UploadIdMarker?: string
}

async function* unfinishedUploads(
  connection: S3Connection,
  { prefix, signal }: AbandonedSearch,
): AsyncGenerator<MultipartUpload> {
  let marker: Marker | undefined = {}
  // Repositories of BackupData are beside the prefix, not below it, so the whole bucket is looked at.
  while (marker !== undefined) {
    const from: Marker = marker
    const page = await connection.send(
      `search for unfinished uploads${prefix === '' ? '' : ` of "${prefix}"`}`,
      (client, sdk, abortSignal) =>
        client.send(new sdk.ListMultipartUploadsCommand({ Bucket: connection.bucket, ...from }), { abortSignal }),
      { signal },
    )
    yield* page.Uploads ?? []
    const { NextKeyMarker, NextUploadIdMarker } = page
    marker =
      page.IsTruncated && NextKeyMarker !== undefined
        ? { KeyMarker: NextKeyMarker, ...(NextUploadIdMarker === undefined ? {} : { UploadIdMarker: NextUploadIdMarker }) }
        : undefined
  }
}

/** An upload of terabytes may be older than any bound and still be at work: its latest part says so. */
async function isFed(connection: S3Connection, key: string, id: string, { before, signal }: AbandonedSearch): Promise<boolean> {
  for await (const { Parts } of uploadedParts(connection, key, id, signal)) {
    if (Parts?.some(({ LastModified }) => (LastModified?.getTime() ?? 0) >= before)) return true
  }
  return false
}

async function abort(connection: S3Connection, key: string, id: string, signal: AbortSignal): Promise<void> {
  try {
    await connection.send(
      `abort of an abandoned upload of object "${key}"`,
      (client, sdk, abortSignal) =>
        client.send(new sdk.AbortMultipartUploadCommand({ Bucket: connection.bucket, Key: key, UploadId: id }), {
          abortSignal,
        }),
      { signal },
    )
  } catch (error) {
    if (!storeError.is(error, 'STORE_NOT_FOUND')) throw error
  }
}
