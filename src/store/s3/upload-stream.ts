import { randomUUID } from 'node:crypto'
import { messageOf } from '../../base/errors.ts'
import { withCleanupSignal } from '../../base/deadline.ts'
import { storeError } from '../errors.ts'
import type { PutResult } from '../object-store.ts'
import type { Checksums } from './checksums.ts'
import type { S3Connection } from './connection.ts'
import { MultipartUpload } from './multipart-upload.ts'
import type { PartPlan } from '../part-plan.ts'
import { type PartFlow, sendParts, withParts } from '../part-flow.ts'
import type { Part } from '../parts.ts'
import { payloadOf } from './payload.ts'
import { publishing } from '../publishing.ts'
import { putObject } from './put-object.ts'

export interface StreamUpload {
  readonly key: string
  readonly body: AsyncIterable<Uint8Array>
  readonly plan: PartPlan
  /** Go on with an upload of this key that was cut off, as far as its parts are the same. */
  readonly resume: boolean
  readonly signal: AbortSignal
  readonly onProgress: (uploadedBytes: number) => void
}

/** What the functions below share during one upload. */
type Job = StreamUpload & PartFlow & { readonly connection: S3Connection; readonly checksums: Checksums }

/** A stream as one object: by a single request if it fits into the first part, else in parts. */
export async function uploadStream(connection: S3Connection, checksums: Checksums, given: StreamUpload): Promise<PutResult> {
  return withParts(given, async (flow) => {
    const job: Job = { ...given, ...flow, connection, checksums }
    const first = await job.parts.next()
    return job.parts.ended ? putWhole(job, first) : putInParts(job, first)
  })
}

async function putWhole({ connection, checksums, key, signal, onProgress }: Job, part: Part): Promise<PutResult> {
  const result = await putObject(connection, checksums, { key, payload: payloadOf(part.bytes), retain: true, signal })
  onProgress(result.sizeBytes)
  return result
}

async function putInParts(job: Job, first: Part): Promise<PutResult> {
  const { connection, plan, parts, signal } = job
  const useChecksum = await job.checksums.decide(connection, job.key, signal)
  return withUpload(job, job.key, useChecksum, async (upload) => {
    await sendInto(job, upload, plan.directParts, first)
    while (!parts.ended) await appendSection(job, upload)
    const etag = await publishing(connection, signal, async (inner) => {
      const published = await upload.complete(inner)
      await checkLength(connection, upload, inner)
      return published
    })
    return { sizeBytes: upload.sizeBytes, ...(etag === undefined ? {} : { etag }) }
  })
}

/** Starts an upload and sees to it that nothing of it stays if `work` fails. */
async function withUpload<T>(
  job: Job,
  key: string,
  useChecksum: boolean,
  work: (upload: MultipartUpload) => Promise<T>,
): Promise<T> {
  const isMain = key === job.key
  const found = job.resume && isMain ? await MultipartUpload.find(job.connection, key, useChecksum, job.signal) : undefined
  const upload =
    found ?? (await MultipartUpload.start(job.connection, key, { useChecksum, retain: isMain, signal: job.signal }))
  try {
    return await work(upload)
  } catch (error) {
    try {
      await upload.abort()
    } catch (abortError) {
      throw leftBehind(job.connection, key, error, abortError)
    }
    throw error
  }
}

/** The first failure stays the error; that an upload was left behind must be said as well. */
function leftBehind(connection: S3Connection, key: string, error: unknown, abortError: unknown): unknown {
  if (!storeError.is(error)) return error
  const text = `${error.message}; its upload could not be aborted either (${messageOf(abortError)}): a lifecycle rule of ${connection.where} for incomplete uploads removes it`
  // The code is of this room's table: `is` has just said so.
  return storeError(error.code as keyof typeof storeError.table, text, { cause: error, details: { ...error.details, key } })
}

async function sendInto(job: Job, upload: MultipartUpload, limit: number, first?: Part): Promise<void> {
  await sendParts(job, { limit, ...(first ? { first } : {}) }, (part, number) => sendPart(job, upload, part, number))
}

async function sendPart(job: Job, upload: MultipartUpload, part: Part, number: number): Promise<void> {
  await upload.uploadPart(number, payloadOf(part.bytes), job.signal)
  if (upload.key === job.key) job.onProgress(upload.sizeBytes)
}

/** See part-plan.ts: the next stretch of the stream becomes an object of its own, and then one part of the main upload. */
async function appendSection(job: Job, main: MultipartUpload): Promise<void> {
  const { connection, plan, signal } = job
  const number = main.partCount + 1
  if (plan.sectionParts === 0 || number > plan.maxParts) {
    throw storeError(
      'STORE_TOO_LARGE',
      `object "${job.key}" is larger than ${connection.where} can take: ${main.sizeBytes} bytes were sent in ${main.partCount} parts`,
    )
  }
  const key = `${job.key}.holdfast-section-${randomUUID()}`
  try {
    // Without checksums of its own: that of an object in parts is one of checksums, which is no use to the main upload.
    const sizeBytes = await withUpload(job, key, false, async (section) => {
      await sendInto(job, section, plan.sectionParts)
      await section.complete(signal)
      return section.sizeBytes
    })
    await main.copyPart(number, key, sizeBytes, signal)
    job.onProgress(main.sizeBytes)
  } finally {
    await removeSection(connection, key)
  }
}

async function removeSection(connection: S3Connection, key: string): Promise<void> {
  const { bucket: Bucket, timing } = connection
  try {
    await withCleanupSignal(`removal of "${key}"`, timing.cleanupMs, async (signal) => {
      await connection.send(
        `removal of the section "${key}"`,
        (client, sdk, abortSignal) => client.send(new sdk.DeleteObjectCommand({ Bucket, Key: key }), { abortSignal }),
        { signal },
      )
    })
  } catch {
    // A bucket may deny deletes. What stays costs space but harms nothing, and its name says what it is.
  }
}

/** A store that lost a part has published a short object: better to know now than at the restore. */
async function checkLength(connection: S3Connection, upload: MultipartUpload, signal: AbortSignal): Promise<void> {
  const { bucket: Bucket } = connection
  let found: number | undefined
  try {
    const head = await connection.send(
      `check of object "${upload.key}"`,
      (client, sdk, abortSignal) => client.send(new sdk.HeadObjectCommand({ Bucket, Key: upload.key }), { abortSignal }),
      { signal },
    )
    found = head.ContentLength
  } catch (error) {
    // The store has confirmed the upload; that it cannot be asked (credentials that may only write, a break) changes nothing.
    if (!storeError.is(error, 'STORE_NOT_FOUND')) return
  }
  if (found === upload.sizeBytes) return
  const text = `object "${upload.key}" in ${connection.where} has ${found ?? 'no'} bytes after an upload of ${upload.sizeBytes}`
  throw storeError('STORE_TRUNCATED', `${text}: the store confirmed what it does not hold`)
}
