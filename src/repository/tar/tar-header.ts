import { repositoryError } from '../errors.ts'

export const blockBytes = 512

/** A header block as it stands, before the headers that precede an entry (pax, GNU long names) change it. */
export interface TarHeader {
  readonly path: Buffer
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Bytes that follow in the archive, without padding. */
  readonly sizeBytes: number
  /** Whole seconds. */
  readonly mtime: number
  readonly type: string
  readonly linkTarget: Buffer
  readonly user: string
  readonly group: string
  readonly deviceMajor: number
  readonly deviceMinor: number
}

/** Undefined for a block of zeros. Reads the formats v7, ustar and GNU. */
export function parseHeader(block: Buffer, at: number): TarHeader | undefined {
  if (block.every((byte) => byte === 0)) return undefined
  if (!checksumFits(block)) {
    throw repositoryError(
      'REPOSITORY_BAD_TAR',
      `the tar stream has no valid header at byte ${at}; it is damaged, or something else was printed into it`,
    )
  }
  const posix = block.toString('latin1', 257, 263) === 'ustar\0'
  const prefix = posix ? text(block, 345, 155) : Buffer.alloc(0)
  const name = text(block, 0, 100)
  return {
    path: prefix.length > 0 ? Buffer.concat([prefix, Buffer.from('/'), name]) : name,
    mode: number(block, 100, 8),
    uid: number(block, 108, 8),
    gid: number(block, 116, 8),
    sizeBytes: number(block, 124, 12),
    mtime: number(block, 136, 12),
    type: String.fromCharCode(block[156] ?? 0),
    linkTarget: text(block, 157, 100),
    user: text(block, 265, 32).toString(),
    group: text(block, 297, 32).toString(),
    deviceMajor: number(block, 329, 8),
    deviceMinor: number(block, 337, 8),
  }
}

/** Octal text, or base 256 where the first bit is set: GNU's form for what octal cannot hold. */
export function number(block: Buffer, at: number, length: number): number {
  const first = block[at] ?? 0
  if ((first & 0x80) === 0) {
    const digits = block
      .toString('latin1', at, at + length)
      .replace(/[\0 ]+$/, '')
      .trim()
    return digits === '' ? 0 : Number.parseInt(digits, 8)
  }
  let value = first === 0xff ? -1 : first & 0x7f
  for (let i = 1; i < length; i++) value = value * 256 + (block[at + i] ?? 0)
  return value
}

function text(block: Buffer, at: number, length: number): Buffer {
  const end = block.indexOf(0, at)
  return Buffer.from(block.subarray(at, end < 0 || end > at + length ? at + length : end))
}

/** The sum of all bytes with the sum's own field as spaces; some old writers added signed bytes. */
function checksumFits(block: Buffer): boolean {
  let unsigned = 8 * 0x20
  let signed = 8 * 0x20
  for (let i = 0; i < blockBytes; i++) {
    if (i >= 148 && i < 156) continue
    const byte = block[i] ?? 0
    unsigned += byte
    signed += byte > 127 ? byte - 256 : byte
  }
  const expected = number(block, 148, 8)
  return expected === unsigned || expected === signed
}
