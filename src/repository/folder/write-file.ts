import { constants } from 'node:fs'
import { type FileHandle, chmod, lstat, open, rm } from 'node:fs/promises'
import type { FilePart, FilePlan } from './plan-file.ts'

const zeros = Buffer.alloc(64 << 10)

/** A file that is being written, in place where parts of it are kept. */
export class FileWriter {
  readonly #handle: FileHandle
  /** Nothing but holes is in it yet, so zeros need not be written. */
  readonly #skipZeros: boolean

  private constructor(handle: FileHandle, skipZeros: boolean) {
    this.#handle = handle
    this.#skipZeros = skipZeros
  }

  static async open(path: Buffer, { sizeBytes, keptBytes }: FilePlan, sparse: boolean): Promise<FileWriter> {
    const anew = keptBytes === 0
    if (anew) await removeQuietly(path)
    // A file that nobody may write to is written in place all the same; its mode is set at the end.
    else await chmod(path, 0o600)
    const flags = constants.O_RDWR | constants.O_NOFOLLOW | (anew ? constants.O_CREAT | constants.O_EXCL : 0)
    const handle = await open(path, flags, 0o600)
    try {
      await handle.truncate(sizeBytes)
      return new FileWriter(handle, anew && sparse)
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  async write({ offset }: FilePart, bytes: Uint8Array): Promise<void> {
    if (this.#skipZeros && isZero(bytes)) return
    for (let at = 0; at < bytes.length;) {
      const { bytesWritten } = await this.#handle.write(bytes, at, bytes.length - at, offset + at)
      at += bytesWritten
    }
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }
}

function isZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += zeros.length) {
    const piece = bytes.subarray(at, at + zeros.length)
    if (Buffer.compare(piece, zeros.subarray(0, piece.length)) !== 0) return false
  }
  return true
}

/** A file of several names must lose this one before it is written anew. */
async function removeQuietly(path: Buffer): Promise<void> {
  const stat = await lstat(path).catch(() => undefined)
  if (stat) await rm(path, { recursive: true, force: true })
}
