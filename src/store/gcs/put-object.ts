import { createHash, randomUUID } from 'node:crypto'
import { storeError } from '../errors.ts'
import type { PutResult } from '../object-store.ts'
import { publishing } from '../publishing.ts'
import type { GcsConnection } from './connection.ts'
import { infoOfResource } from './object-resource.ts'

export interface GcsPut {
  readonly key: string
  readonly bytes: Uint8Array
  readonly ifAbsent: boolean
  readonly signal: AbortSignal
}

/** One object by one request; the store checks its MD5. */
export async function putGcsObject(connection: GcsConnection, put: GcsPut): Promise<PutResult> {
  const { requests } = connection
  const { key, bytes, ifAbsent, signal } = put
  const md5Hash = createHash('md5').update(bytes).digest('base64')
  const boundary = `holdfast-${randomUUID()}`
  const head = `--${boundary}\r\ncontent-type: application/json\r\n\r\n${JSON.stringify({ name: key, md5Hash })}\r\n--${boundary}\r\ncontent-type: application/octet-stream\r\n\r\n`
  const call = {
    method: 'POST',
    path: connection.uploadPath(),
    query: { uploadType: 'multipart', ...(ifAbsent ? { ifGenerationMatch: '0' } : {}) },
    headers: { 'content-type': `multipart/related; boundary=${boundary}` },
    body: [Buffer.from(head), bytes, Buffer.from(`\r\n--${boundary}--`)],
  }
  let tries = 0
  return publishing(requests, signal, async (inner) => {
    try {
      const { json } = await requests.send(
        `put of object "${key}"`,
        (each) => {
          tries++
          return connection.call(call, each)
        },
        { signal: inner },
      )
      const { sizeBytes, etag } = infoOfResource(json)
      return { sizeBytes, ...(etag === undefined ? {} : { etag }) }
    } catch (error) {
      if (!storeError.is(error, 'STORE_EXISTS')) throw error
      // A repeated try meets what the first one wrote, if only its answer was lost.
      if (tries > 1 && (await md5Of(connection, key, inner)) === md5Hash) return { sizeBytes: bytes.length }
      throw storeError('STORE_EXISTS', `object "${key}" already exists in ${requests.where}`, { cause: error })
    }
  })
}

async function md5Of(connection: GcsConnection, key: string, signal: AbortSignal): Promise<unknown> {
  const call = { method: 'GET', path: connection.pathOf(key), query: { fields: 'md5Hash' } }
  const { json } = await connection.requests.send(`check of object "${key}"`, (each) => connection.call(call, each), { signal })
  return json['md5Hash']
}
