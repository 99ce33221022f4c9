import { createHash } from 'node:crypto'
import { storeError } from '../errors.ts'
import type { S3Connection } from './connection.ts'
import { uploadedParts } from './uploaded-parts.ts'
import { type Payload, checksumText } from './payload.ts'

/** One part that an earlier process has sent. */
export interface LeftPart {
  readonly etag: string
  readonly sizeBytes: number
  /** Base64, where the store tells it. */
  readonly sha256?: string
}

export interface LeftUpload {
  readonly id: string
  readonly parts: ReadonlyMap<number, LeftPart>
}

/** The latest unfinished upload of exactly this key. Undefined too where the store does not let it be asked for. */
export async function findLeftUpload(
  connection: S3Connection,
  key: string,
  useChecksum: boolean,
  signal: AbortSignal,
): Promise<LeftUpload | undefined> {
  try {
    const id = await latestUpload(connection, key, signal)
    return id === undefined ? undefined : await partsOf(connection, key, id, useChecksum, signal)
  } catch (error) {
    // No right to list, a store without lists, an upload that ended meanwhile: then it is sent anew.
    if (storeError.is(error, 'STORE_DENIED', 'STORE_REFUSED', 'STORE_NOT_FOUND')) return undefined
    throw error
  }
}

/** By SHA-256 where the store has kept it, else by MD5, which is the ETag of a part unless the bucket encrypts with keys of its own. */
export function isSamePart(part: LeftPart, { bytes, sha256 }: Payload): boolean {
  if (part.sizeBytes !== bytes.length) return false
  if (part.sha256 !== undefined) return part.sha256 === checksumText(sha256)
  return part.etag.replaceAll('"', '') === createHash('md5').update(bytes).digest('hex')
}

async function latestUpload(connection: S3Connection, key: string, signal: AbortSignal): Promise<string | undefined> {
  const { Uploads } = await connection.send(
    `search for unfinished uploads of object "${key}"`,
    (client, sdk, abortSignal) =>
      client.send(new sdk.ListMultipartUploadsCommand({ Bucket: connection.bucket, Prefix: key }), { abortSignal }),
    { signal },
  )
  const own = (Uploads ?? []).filter((upload) => upload.Key === key)
  const [latest] = own.toSorted((a, b) => (b.Initiated?.getTime() ?? 0) - (a.Initiated?.getTime() ?? 0))
  return latest?.UploadId
}

async function partsOf(
  connection: S3Connection,
  key: string,
  id: string,
  useChecksum: boolean,
  signal: AbortSignal,
): Promise<LeftUpload | undefined> {
  const parts = new Map<number, LeftPart>()
  for await (const page of uploadedParts(connection, key, id, signal)) {
    // A store that does not say takes what it is given.
    if (page.ChecksumAlgorithm !== undefined && (page.ChecksumAlgorithm === 'SHA256') !== useChecksum) return undefined
    for (const { PartNumber, ETag, Size, ChecksumSHA256 } of page.Parts ?? []) {
      if (PartNumber === undefined || ETag === undefined || Size === undefined) continue
      parts.set(PartNumber, {
        etag: ETag,
        sizeBytes: Size,
        ...(ChecksumSHA256 === undefined ? {} : { sha256: ChecksumSHA256 }),
      })
    }
  }
  return { id, parts }
}
