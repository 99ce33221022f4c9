import { storeError } from './errors.ts'
import type { GetOptions, ObjectStore } from './object-store.ts'

/** Of what is read as one piece, where the caller names none. */
export const defaultLimitBytes = 64 * 1024 * 1024

/** A stream of the store as one piece; STORE_TOO_LARGE above the limit. */
export async function collectBytes(
  store: Pick<ObjectStore, 'getStream' | 'description'>,
  key: string,
  options: GetOptions,
): Promise<Uint8Array> {
  const { limitBytes = defaultLimitBytes } = options
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of store.getStream(key, options)) {
    sizeBytes += chunk.length
    if (sizeBytes > limitBytes) {
      throw storeError('STORE_TOO_LARGE', `object "${key}" in ${store.description} has more than ${limitBytes} bytes`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, sizeBytes)
}
