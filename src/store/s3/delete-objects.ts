import { createHash } from 'node:crypto'
import type { _Error as KeyFault } from '@aws-sdk/client-s3'
import { mapBounded } from '../../base/semaphore.ts'
import { storeError } from '../errors.ts'
import { checkKey } from '../key.ts'
import type { CallOptions } from '../object-store.ts'
import type { S3Connection } from './connection.ts'
import { setHeaders } from './payload.ts'
import { translateError } from './translate-error.ts'

/** The most keys that DeleteObjects takes. */
const batchKeys = 1000
const singlesAtOnce = 8

/** Deletes one object; absent is success. */
export async function deleteObject(connection: S3Connection, key: string, { signal }: CallOptions): Promise<void> {
  checkKey(key)
  try {
    await connection.send(
      `delete of object "${key}"`,
      (client, sdk, abortSignal) =>
        client.send(new sdk.DeleteObjectCommand({ Bucket: connection.bucket, Key: key }), { abortSignal }),
      { signal },
    )
  } catch (error) {
    // Some stores say 404 for an object that is gone.
    if (!storeError.is(error, 'STORE_NOT_FOUND')) throw error
  }
}

/** Deletes in batches; one by one where the store has no batches. Goes on behind a key that stays, and then names the first. */
export async function deleteObjects(
  connection: S3Connection,
  keys: AsyncIterable<string> | Iterable<string>,
  options: CallOptions,
): Promise<number> {
  const outcome: Outcome = { deleted: 0, stayed: 0, first: undefined, batches: true }
  for await (const batch of inBatches(keys)) {
    options.signal?.throwIfAborted()
    if (outcome.batches) await deleteBatch(connection, batch, outcome, options)
    else await deleteSingly(connection, batch, outcome, options)
  }
  if (outcome.first !== undefined) throw sayStayed(outcome, outcome.first)
  return outcome.deleted
}

interface Outcome {
  deleted: number
  stayed: number
  first: unknown
  /** False once the store has refused DeleteObjects as such. */
  batches: boolean
}

async function* inBatches(keys: AsyncIterable<string> | Iterable<string>): AsyncGenerator<string[]> {
  let batch: string[] = []
  for await (const key of keys) {
    checkKey(key)
    if (batch.push(key) < batchKeys) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

async function deleteBatch(connection: S3Connection, batch: string[], outcome: Outcome, options: CallOptions): Promise<void> {
  let faults: KeyFault[]
  try {
    faults = await sendBatch(connection, batch, options)
  } catch (error) {
    if (!storeError.is(error, 'STORE_REFUSED', 'STORE_DENIED', 'STORE_CHECKSUM', 'STORE_NOT_FOUND')) throw error
    // No batches here, or not for us: the single form tells more, and is allowed more often.
    outcome.batches = false
    return deleteSingly(connection, batch, outcome, options)
  }
  outcome.deleted += batch.length - faults.length
  // A key that failed alone (SlowDown on one shard) gets the tries of a single delete.
  const again = faults.map((fault) => fault.Key).filter((key) => key !== undefined)
  const nameless = faults.find((fault) => fault.Key === undefined)
  if (nameless) note(outcome, translateFault(connection, nameless))
  await deleteSingly(connection, again, outcome, options)
}

async function sendBatch(connection: S3Connection, batch: string[], { signal }: CallOptions): Promise<KeyFault[]> {
  const input = { Bucket: connection.bucket, Delete: { Quiet: true, Objects: batch.map((Key) => ({ Key })) } }
  const { Errors } = await connection.send(
    `delete of ${batch.length} objects`,
    (client, sdk, abortSignal) => {
      const command = new sdk.DeleteObjectsCommand(input)
      setHeaders(command, md5Instead)
      return client.send(command, { abortSignal })
    },
    { signal },
  )
  return (Errors ?? []).filter((fault) => fault.Code !== 'NoSuchKey')
}

/** Every store takes Content-MD5 here, some want it; the CRC32 that the SDK adds is refused by some. */
function md5Instead(body: unknown): Record<string, string | undefined> {
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) return {}
  return {
    'content-md5': createHash('md5').update(body).digest('base64'),
    'x-amz-checksum-crc32': undefined,
    'x-amz-sdk-checksum-algorithm': undefined,
  }
}

async function deleteSingly(connection: S3Connection, keys: string[], outcome: Outcome, options: CallOptions): Promise<void> {
  const one = async (key: string, signal: AbortSignal): Promise<void> => {
    try {
      await deleteObject(connection, key, { signal })
      outcome.deleted++
    } catch (error) {
      signal.throwIfAborted()
      note(outcome, error)
    }
  }
  await mapBounded(keys, singlesAtOnce, one, options.signal)
}

function note(outcome: Outcome, error: unknown): void {
  outcome.stayed++
  outcome.first ??= error
}

function translateFault(connection: S3Connection, fault: KeyFault): unknown {
  const error = Object.assign(new Error(fault.Message ?? ''), { Code: fault.Code ?? 'Unknown' })
  return translateError(error, { what: 'delete of an object', where: connection.where, bucket: connection.bucket })
}

function sayStayed(outcome: Outcome, first: unknown): unknown {
  if (outcome.stayed === 1 || !storeError.is(first)) return first
  const text = `${outcome.stayed} objects could not be deleted (${outcome.deleted} could); the first: ${first.message}`
  return storeError(first.code as keyof typeof storeError.table, text, { cause: first, details: first.details })
}
