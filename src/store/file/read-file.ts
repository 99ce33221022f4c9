import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { orAborted } from '../../base/or-aborted.ts'
import { storeError } from '../errors.ts'
import type { GetStreamOptions } from '../object-store.ts'
import type { StoreFolder } from './folder.ts'

const chunkBytes = 256 * 1024

/** The bytes of one version: the open file stays what it was when another takes its name. */
export async function* readFile(folder: StoreFolder, key: string, options: GetStreamOptions): AsyncGenerator<Uint8Array> {
  const { offset = 0, length = Infinity, signal = new AbortController().signal } = options
  signal.throwIfAborted()
  const file = await folder.fileOf(key)
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) throw storeError('STORE_NOT_FOUND', `object "${key}" is not in ${folder.description}`)
    const end = Math.min(stats.size, offset + length)
    for (let at = offset; at < end;) {
      // Of its own: the reader may keep it or give its memory away.
      const chunk = Buffer.allocUnsafeSlow(Math.min(chunkBytes, end - at))
      const { bytesRead } = await orAborted(handle.read(chunk, 0, chunk.length, at), signal)
      if (bytesRead === 0) {
        throw storeError('STORE_TRUNCATED', `object "${key}" in ${folder.description} ended at byte ${at} of ${end}`)
      }
      at += bytesRead
      yield chunk.subarray(0, bytesRead)
    }
  } finally {
    await handle.close()
  }
}
