import { constants, createZstdCompress, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { repositoryError } from '../errors.ts'

/**
 * Level 3 with tables that fit into a core's cache beside what else is at work there: 128 KiB each, where the level's own are 512 and 256. Measured, one core, of the
 * same blobs: dumps 293 to 327 MB/s and 0.6 % smaller, container images 350 to 404 and 2.2 % larger, sources 1,678 to 1,765 and 0.8 % larger; all of them
 * no longer than restic's own.
 */
const params = { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_hashLog]: 15, [constants.ZSTD_c_chainLog]: 15 }

/**
 * One standard frame with its content size. Naming the size and giving one output buffer that surely fits keeps libzstd from
 * growing buffers; on text it costs nothing (509 MB/s either way), on incompressible input it saves a copy.
 */
export function compress(plain: Uint8Array): Buffer {
  return zstdCompressSync(plain, {
    chunkSize: boundOf(plain.length),
    pledgedSrcSize: plain.length,
    params,
  })
}

/** What a compressor gave is overwritten by its next result. */
export type Compressor = (plain: Uint8Array) => Uint8Array

/**
 * The same frames as `compress` makes, from one context that is used again and again, and into one buffer: of 31 µs for a file of 4 KiB 11 are
 * left, and of 390 µs for 1.5 MiB of noise 180. Node has no interface for this. Its stream's handle is asked directly, in the shape that
 * it has in the Node that the lock file pins; where it has another, every call goes the way of `compress`.
 */
export function createCompressor(mostBytes: number): Compressor {
  // Its fields are checked before use.
  const stream = createZstdCompress({ params }) as unknown as StreamInside
  const { _handle: handle, _writeState: state } = stream
  if (typeof handle?.writeSync !== 'function' || !(state instanceof Uint32Array)) return compress
  let failed = false
  handle.onerror = () => (failed = true)
  const out = Buffer.allocUnsafeSlow(boundOf(mostBytes))
  return (plain) => {
    if (failed || plain.length === 0 || plain.length > mostBytes) return compress(plain)
    handle.writeSync(constants.ZSTD_e_end, plain, 0, plain.length, out, 0, out.length)
    const [roomLeft = 0, inputLeft = 1] = state
    // A frame always ends within the bound; anything else means that this is not the Node that is known here.
    failed ||= inputLeft !== 0 || roomLeft === 0
    return failed ? compress(plain) : out.subarray(0, out.length - roomLeft)
  }
}

interface StreamInside {
  readonly _handle?: {
    onerror: unknown
    readonly writeSync: (
      flush: number,
      input: Uint8Array,
      inputAt: number,
      inputLength: number,
      output: Uint8Array,
      outputAt: number,
      outputLength: number,
    ) => void
  }
  /** Room left in the output, input left. */
  readonly _writeState?: unknown
}

/** What libzstd calls the bound of its output. More is dear: of each small file a buffer that long would wait for the collector. */
function boundOf(plainBytes: number): number {
  return plainBytes + (plainBytes >> 8) + 128
}

/** `limitBytes` bounds the result whatever the frame claims. `chunkBytes` is the expected size, if known. */
export function decompress(frame: Uint8Array, limitBytes: number, what: string, chunkBytes = 65_536): Buffer<ArrayBuffer> {
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
