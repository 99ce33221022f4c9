import { createHash, randomBytes } from 'node:crypto'
import { storeError } from '../errors.ts'
import type { PutResult } from '../object-store.ts'
import { type PartFlow, sendParts, withParts } from '../part-flow.ts'
import type { PartPlan } from '../part-plan.ts'
import type { Part } from '../parts.ts'
import { publishing } from '../publishing.ts'
import type { AzureConnection } from './connection.ts'

const MiB = 1024 * 1024

/** A blob has 50,000 blocks at most: 8 GiB, 64, 625, then 4.2 TiB. Beyond 700 GiB two or three blocks of 128 MiB are held. */
const blockPlan: PartPlan = {
  steps: [
    { parts: 1000, bytes: 8 * MiB },
    { parts: 4000, bytes: 16 * MiB },
    { parts: 10_000, bytes: 64 * MiB },
    { parts: Infinity, bytes: 128 * MiB },
  ],
  directParts: 50_000,
  sectionParts: 0,
  maxParts: 50_000,
  memoryBytes: 96 * MiB,
}

export interface AzurePut {
  readonly key: string
  readonly bytes: Uint8Array
  readonly ifAbsent: boolean
  readonly signal: AbortSignal
}

/** One blob by one request. The MD5 that the store has computed of it is compared with ours. */
export async function putBlob(connection: AzureConnection, put: AzurePut): Promise<PutResult> {
  const { key, bytes, ifAbsent, signal } = put
  const { requests } = connection
  let tries = 0
  return publishing(requests, signal, async (inner) => {
    try {
      const { etag, contentMD5 } = await connection.send(
        `put of object "${key}"`,
        (container, abortSignal) => {
          tries++
          const conditions = ifAbsent ? { ifNoneMatch: '*' } : {}
          return container.getBlockBlobClient(key).upload(bodyOf(bytes), bytes.length, { conditions, abortSignal })
        },
        { signal: inner },
      )
      if (contentMD5 !== undefined && !sameBytes(contentMD5, md5Of(bytes))) throw altered(connection, key)
      return { sizeBytes: bytes.length, ...(etag === undefined ? {} : { etag }) }
    } catch (error) {
      if (!storeError.is(error, 'STORE_EXISTS')) throw error
      // A repeated try meets what the first one wrote, if only its answer was lost.
      if (tries > 1 && (await holdsSame(connection, put, inner))) return { sizeBytes: bytes.length }
      throw storeError('STORE_EXISTS', `object "${key}" already exists in ${requests.where}`, { cause: error })
    }
  })
}

export interface AzureStream {
  readonly key: string
  readonly body: AsyncIterable<Uint8Array>
  readonly signal: AbortSignal
  readonly onProgress: (uploadedBytes: number) => void
}

/**
 * A stream as one blob: by a single request if it fits into the first block, else in blocks, several at once. Blocks of an upload that
 * failed are never visible; Azure has no request to take them back and drops them after a week.
 */
export async function uploadBlob(connection: AzureConnection, given: AzureStream, plan = blockPlan): Promise<PutResult> {
  return withParts({ ...given, plan }, async (flow) => {
    const first = await flow.parts.next()
    if (!flow.parts.ended) return inBlocks(connection, given, flow, first)
    const result = await putBlob(connection, { key: given.key, bytes: first.bytes, ifAbsent: false, signal: flow.signal })
    given.onProgress(result.sizeBytes)
    return result
  })
}

async function inBlocks(connection: AzureConnection, given: AzureStream, flow: PartFlow, first: Part): Promise<PutResult> {
  const { key, onProgress } = given
  // Of this upload alone: another one to the same key has other names. All have one length, as Azure wants.
  const upload = randomBytes(9).toString('hex')
  const ids: string[] = []
  let sizeBytes = 0
  await sendParts(flow, { first, limit: blockPlan.maxParts }, async (part, number) => {
    const id = Buffer.from(`${upload}-${String(number).padStart(6, '0')}`).toString('base64')
    ids[number - 1] = id
    const transactionalContentMD5 = md5Of(part.bytes)
    await connection.send(
      `part ${number} of object "${key}"`,
      (container, abortSignal) => {
        const blob = container.getBlockBlobClient(key)
        return blob.stageBlock(id, bodyOf(part.bytes), part.bytes.length, { transactionalContentMD5, abortSignal })
      },
      { signal: flow.signal, patient: true },
    )
    sizeBytes += part.bytes.length
    onProgress(sizeBytes)
  })
  if (!flow.parts.ended) {
    throw storeError('STORE_TOO_LARGE', `object "${key}" is larger than ${connection.requests.where} can take`)
  }
  // Repeating it is safe: the blocks of a blob that was just made are still its own.
  const { etag } = await publishing(connection.requests, flow.signal, (inner) =>
    connection.send(
      `completion of object "${key}"`,
      (container, abortSignal) => container.getBlockBlobClient(key).commitBlockList(ids, { abortSignal }),
      { signal: inner, patient: true },
    ),
  )
  return { sizeBytes, ...(etag === undefined ? {} : { etag }) }
}

async function holdsSame(connection: AzureConnection, { key, bytes }: AzurePut, signal: AbortSignal): Promise<boolean> {
  const found = await connection.send(
    `check of object "${key}"`,
    (container, abortSignal) => container.getBlobClient(key).getProperties({ abortSignal }),
    { signal },
  )
  return found.contentMD5 !== undefined && sameBytes(found.contentMD5, md5Of(bytes))
}

function altered(connection: AzureConnection, key: string): unknown {
  return storeError('STORE_CHECKSUM', `object "${key}" was altered on the way to ${connection.requests.where}: put it again`)
}

function md5Of(bytes: Uint8Array): Buffer {
  return createHash('md5').update(bytes).digest()
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

/** A Buffer over the same memory, which the library sends without a copy. */
function bodyOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
