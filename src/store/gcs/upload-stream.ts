import { createHash } from 'node:crypto'
import { messageOf } from '../../base/errors.ts'
import { withCleanupSignal } from '../../base/deadline.ts'
import { storeError } from '../errors.ts'
import type { PutResult } from '../object-store.ts'
import { type PartFlow, withParts } from '../part-flow.ts'
import type { PartPlan } from '../part-plan.ts'
import type { Part } from '../parts.ts'
import { publishing } from '../publishing.ts'
import type { GcsConnection } from './connection.ts'
import { infoOfResource, objectFields } from './object-resource.ts'
import { putGcsObject } from './put-object.ts'
import { UploadSession } from './upload-session.ts'

export interface GcsStream {
  readonly key: string
  readonly body: AsyncIterable<Uint8Array>
  readonly signal: AbortSignal
  readonly onProgress: (uploadedBytes: number) => void
}

const MiB = 1024 * 1024

/** One chunk on its way, one being filled, one spare. A session has no limit of chunks, so they need not grow further. */
const chunkPlan: PartPlan = {
  steps: [{ parts: Infinity, bytes: 16 * MiB }],
  directParts: Infinity,
  sectionParts: 0,
  maxParts: Infinity,
  memoryBytes: 48 * MiB,
}

/** A stream as one object: by a single request if it fits into the first chunk, else by a resumable session. */
export async function uploadGcsStream(connection: GcsConnection, given: GcsStream, plan = chunkPlan): Promise<PutResult> {
  return withParts({ ...given, plan }, async (flow) => {
    const first = await flow.parts.next()
    if (!flow.parts.ended) return throughSession(connection, given, flow, first)
    const result = await putGcsObject(connection, { key: given.key, bytes: first.bytes, ifAbsent: false, signal: flow.signal })
    given.onProgress(result.sizeBytes)
    return result
  })
}

async function throughSession(connection: GcsConnection, given: GcsStream, flow: PartFlow, first: Part): Promise<PutResult> {
  const session = await UploadSession.start(connection, given.key, flow.signal)
  try {
    return await sendAll(connection, session, given, flow, first)
  } catch (error) {
    try {
      await session.abort()
    } catch (abortError) {
      if (!storeError.is(error)) throw error
      const text = `${error.message}; its upload could not be given up either (${messageOf(abortError)}): the store forgets it within a week`
      // The code is of this room's table: `is` has just said so.
      throw storeError(error.code as keyof typeof storeError.table, text, { cause: error, details: error.details })
    }
    throw error
  }
}

/** The next chunk is filled while one is on its way; a session takes them in order only. */
async function sendAll(
  connection: GcsConnection,
  session: UploadSession,
  given: GcsStream,
  { parts, signal, stop }: PartFlow,
  first: Part,
): Promise<PutResult> {
  const hash = createHash('md5')
  let sizeBytes = 0
  let part = first
  for (;;) {
    const isLast = parts.ended
    hash.update(part.bytes)
    sizeBytes += part.bytes.length
    if (isLast) break
    const sent = session.send(part.bytes, false, signal).catch((error: unknown) => stop.abort(error))
    const next = await parts.next().finally(() => sent)
    part.release()
    signal.throwIfAborted()
    given.onProgress(sizeBytes)
    part = next
  }
  const last = part
  const resource = await publishing(connection.requests, signal, async (inner) => {
    const sent = await session.send(last.bytes, true, inner)
    return sent === 'lost' ? resourceOf(connection, given.key, inner) : (sent ?? {})
  })
  const info = infoOfResource(resource)
  const md5 = hash.digest('base64')
  if (info.sizeBytes !== sizeBytes || (resource['md5Hash'] !== undefined && resource['md5Hash'] !== md5)) {
    await removeWrong(connection, given.key, info.etag)
    const text = `object "${given.key}" in ${connection.requests.where} has ${info.sizeBytes} bytes, or other bytes, after an upload of ${sizeBytes}`
    throw storeError('STORE_CHECKSUM', `${text}: it was altered on the way and is removed again`)
  }
  given.onProgress(sizeBytes)
  return { sizeBytes, ...(info.etag === undefined ? {} : { etag: info.etag }) }
}

/** What is there now: ours, if size and MD5 are. */
async function resourceOf(
  connection: GcsConnection,
  key: string,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  const call = { method: 'GET', path: connection.pathOf(key), query: { fields: objectFields } }
  const { json } = await connection.requests.send(`check of object "${key}"`, (each) => connection.call(call, each), { signal })
  return json
}

/** Only this very version of it. */
async function removeWrong(connection: GcsConnection, key: string, generation: string | undefined): Promise<void> {
  const { requests } = connection
  const query = { ifGenerationMatch: generation }
  const call = { method: 'DELETE', path: connection.pathOf(key), query, also: [404, 412] }
  await withCleanupSignal(`removal of "${key}"`, requests.timing.cleanupMs, async (signal) => {
    await requests.send(`removal of object "${key}"`, (each) => connection.call(call, each), { signal })
  })
}
