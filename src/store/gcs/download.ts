import type { Readable } from 'node:stream'
import { storeError } from '../errors.ts'
import type { GetStreamOptions } from '../object-store.ts'
import { type DownloadPosition, resumedDownload } from '../resumed-download.ts'
import type { GcsConnection } from './connection.ts'

/** An object, or a range of it, as a stream that goes on after breaks with the same generation. */
export function downloadGcsObject(
  connection: GcsConnection,
  key: string,
  options: GetStreamOptions,
): AsyncGenerator<Uint8Array> {
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

async function open(connection: GcsConnection, position: DownloadPosition, signal: AbortSignal): Promise<Readable | undefined> {
  const { key, at, end, etag } = position
  const { requests } = connection
  const ranged = at > 0 || end !== undefined
  const call = {
    method: 'GET',
    path: connection.pathOf(key),
    query: { alt: 'media', generation: etag },
    // As it was stored: an object marked as gzip would else be unpacked on the way, with another length.
    headers: { 'accept-encoding': 'gzip', ...(ranged ? { range: `bytes=${at}-${end === undefined ? '' : end - 1}` } : {}) },
    also: [416],
  }
  try {
    const answer = await requests.unbounded(`read of object "${key}"`, (each) => connection.open(call, each), signal)
    if (answer.statusCode === 416) {
      answer.resume()
      return undefined
    }
    const lengthBytes = Number(answer.headers['content-length'] ?? Number.NaN)
    if ((at > 0 && answer.statusCode !== 206) || Number.isNaN(lengthBytes)) {
      answer.destroy()
      throw storeError('STORE_REFUSED', `${requests.where} does not answer ranges with their length: object "${key}"`)
    }
    const generation = answer.headers['x-goog-generation']
    position.etag = typeof generation === 'string' ? generation : undefined
    position.end = at + lengthBytes
    return answer
  } catch (error) {
    if (etag === undefined || !storeError.is(error, 'STORE_NOT_FOUND')) throw error
    const text = `object "${key}" in ${requests.where} was replaced while it was read: read it again`
    throw storeError('STORE_CHANGED', text, { cause: error })
  }
}
