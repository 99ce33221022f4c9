import type { Readable } from 'node:stream'
import { storeError } from '../errors.ts'
import type { GetStreamOptions } from '../object-store.ts'
import { type DownloadPosition, resumedDownload } from '../resumed-download.ts'
import type { AzureConnection } from './connection.ts'

/** A blob, or a range of it, as a stream that goes on after breaks with the same version. */
export function downloadBlob(connection: AzureConnection, key: string, options: GetStreamOptions): AsyncGenerator<Uint8Array> {
  const { requests } = connection
  const source = {
    where: requests.where,
    timing: requests.timing,
    clock: requests.clock,
    budgetMs: requests.budgetMs,
    translate: (error: unknown, what: string) => requests.translate(error, what),
  }
  return resumedDownload(source, key, options, (position, signal) => open(connection, position, signal))
}

async function open(
  connection: AzureConnection,
  position: DownloadPosition,
  signal: AbortSignal,
): Promise<Readable | undefined> {
  const { key, at, end, etag } = position
  const count = end === undefined ? undefined : end - at
  try {
    const found = await connection.unbounded(
      `read of object "${key}"`,
      (container, abortSignal) =>
        container.getBlobClient(key).download(at, count, {
          abortSignal,
          // Going on after a break is ours.
          maxRetryRequests: 0,
          ...(etag === undefined ? {} : { conditions: { ifMatch: etag } }),
        }),
      signal,
    )
    position.etag = found.etag
    position.end = found.contentLength === undefined ? end : at + found.contentLength
    // In Node the body is a Readable.
    return found.readableStreamBody as Readable
  } catch (error) {
    if (storeError.is(error, 'STORE_EXISTS')) {
      const text = `object "${key}" in ${connection.requests.where} was replaced while it was read: read it again`
      throw storeError('STORE_CHANGED', text, { cause: error })
    }
    if (storeError.is(error) && error.details['status'] === 416) return undefined
    throw error
  }
}
