import { type FileHandle, link, lstat, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { orAborted } from '../../base/or-aborted.ts'
import { storeError } from '../errors.ts'
import type { PutResult } from '../object-store.ts'
import { infoOf } from './file-info.ts'
import { type StoreFolder, syncFolder } from './folder.ts'

export interface FileWrite {
  readonly key: string
  readonly body: AsyncIterable<Uint8Array>
  readonly ifAbsent: boolean
  readonly signal: AbortSignal
  readonly onProgress: (writtenBytes: number) => void
}

/** Small chunks are gathered to this size: a system call for each, on NFS a request, would be slow. */
const gatherBytes = 1 << 20
/** How often a folder that another process found empty and took away is made anew. */
const parentTries = 20

/** Writes a file aside, and moves it to its place when it and its bytes are on the disk. */
export async function writeFile(folder: StoreFolder, write: FileWrite): Promise<PutResult> {
  write.signal.throwIfAborted()
  const file = await folder.fileOf(write.key)
  const growing = await folder.newGrowingFile()
  try {
    const handle = await open(growing, 'wx', 0o640)
    try {
      await copyInto(handle, write)
      await handle.sync()
    } finally {
      await handle.close()
    }
    write.signal.throwIfAborted()
    await publish(folder, growing, file, write)
    const { etag, sizeBytes } = infoOf(write.key, await lstat(file, { bigint: true }))
    return { sizeBytes, ...(etag === undefined ? {} : { etag }) }
  } finally {
    await rm(growing, { force: true })
  }
}

async function copyInto(handle: FileHandle, { body, signal, onProgress }: FileWrite): Promise<void> {
  const chunks = body[Symbol.asyncIterator]()
  const gathered = Buffer.allocUnsafeSlow(gatherBytes)
  let filled = 0
  let written = 0
  const flush = async (bytes: Uint8Array): Promise<void> => {
    for (let at = 0; at < bytes.length;) at += (await handle.write(bytes, at)).bytesWritten
    written += bytes.length
    onProgress(written)
  }
  let ended = false
  try {
    for (;;) {
      const result = await orAborted(chunks.next(), signal)
      if (result.done) break
      const chunk = result.value
      if (filled + chunk.length > gatherBytes) {
        await flush(gathered.subarray(0, filled))
        filled = 0
      }
      if (chunk.length >= gatherBytes) await flush(chunk)
      else {
        gathered.set(chunk, filled)
        filled += chunk.length
      }
    }
    ended = true
    await flush(gathered.subarray(0, filled))
  } finally {
    // Not waited for: a stream that hangs would hang here too.
    if (!ended) chunks.return?.().catch(() => {})
  }
}

async function publish(folder: StoreFolder, growing: string, file: string, write: FileWrite): Promise<void> {
  for (let tries = 1; ; tries++) {
    await folder.makeParents(file)
    try {
      // `link` fails when the name is taken, on NFS too; `rename` replaces.
      if (write.ifAbsent) await link(growing, file)
      else await rename(growing, file)
      break
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EEXIST' && write.ifAbsent && !(await isSameFile(growing, file))) {
        throw storeError('STORE_EXISTS', `object "${write.key}" already exists in ${folder.description}`, { cause: error })
      }
      if (code === 'EEXIST') break
      if (code !== 'ENOENT' || tries >= parentTries) throw error
    }
  }
  await syncFolder(dirname(file))
}

/** NFS repeats a request whose answer was lost, and the repeated link meets what the first one made. */
async function isSameFile(growing: string, file: string): Promise<boolean> {
  const [ours, found] = await Promise.all([lstat(growing, { bigint: true }), lstat(file, { bigint: true })])
  return ours.ino === found.ino && ours.dev === found.dev
}
