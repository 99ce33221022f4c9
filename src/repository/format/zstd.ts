import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { repositoryError } from '../errors.ts'

/**
 * One standard frame with its content size, level 3. Naming the size and giving one output buffer that surely fits keeps libzstd from
 * growing buffers; on text it costs nothing (509 MB/s either way), on incompressible input it saves a copy.
 */
export function compress(plain: Uint8Array): Buffer {
  return zstdCompressSync(plain, {
    chunkSize: plain.length + 65_536,
    pledgedSrcSize: plain.length,
    params: { [constants.ZSTD_c_compressionLevel]: 3 },
  })
}

/** `limitBytes` bounds the result whatever the frame claims. `chunkBytes` is the expected size, if known. */
export function decompress(frame: Uint8Array, limitBytes: number, what: string, chunkBytes = 65_536): Buffer {
  try {
    return zstdDecompressSync(frame, {
      maxOutputLength: Math.max(1, limitBytes),
      chunkSize: Math.max(1024, chunkBytes + 64),
      params: { [constants.ZSTD_d_windowLogMax]: 29 },
    })
  } catch (cause) {
    throw repositoryError('REPOSITORY_DAMAGED', `${what}: cannot be decompressed within ${limitBytes} bytes`, { cause })
  }
}

/** Gives a used buffer's memory back at once instead of at the next collection; only for buffers nobody else sees. */
export function release(buffer: Buffer): void {
  const memory = buffer.buffer
  // Small buffers come from a pool shared with others.
  if (buffer.length < 65_536 || !(memory instanceof ArrayBuffer)) return
  if (buffer.byteOffset === 0) memory.transfer(0)
}
