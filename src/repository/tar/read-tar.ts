import { repositoryError } from '../errors.ts'
import type { Nanos } from '../format/go-time.ts'
import type { ExtendedAttribute } from '../format/node.ts'
import { ByteSource } from './byte-source.ts'
import { type PaxRecords, paxAttributes, paxNumber, paxTime, paxValue, parsePax } from './pax.ts'
import { type SparseMap, readOldGnuMap, readPaxMap } from './sparse.ts'
import { type TarHeader, blockBytes, parseHeader } from './tar-header.ts'

export type TarEntryType = 'file' | 'dir' | 'symlink' | 'hardlink' | 'chardev' | 'dev' | 'fifo'

/** An entry with everything that stood before it taken in. */
export interface TarEntry {
  readonly type: TarEntryType
  readonly path: Buffer
  /** The twelve bits of chmod. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly user: string
  readonly group: string
  readonly mtime: Nanos
  /** Of a symlink or hardlink. */
  readonly linkTarget: Buffer
  readonly deviceMajor: number
  readonly deviceMinor: number
  readonly attributes: readonly ExtendedAttribute[]
  /** Of the file as its reader sees it, holes included. */
  readonly sizeBytes: number
  /** The file's bytes, holes as zeros; pieces are valid until the next one. To be read before the next entry is asked for; what is left is skipped. */
  data(): AsyncGenerator<Uint8Array>
}

/** Longer names and pax headers than this are not believed. */
const maxMetaBytes = 8 << 20
const zerosBytes = 1 << 20

/**
 * Reads a tar stream of GNU tar, BusyBox or a pax writer. An archive that does not end in a block of zeros is REPOSITORY_BAD_TAR: it was cut off. The
 * stream is read to its end, since only its end shows whether its writer succeeded.
 */
export async function* readTar(stream: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const source = new ByteSource(stream)
  const zeros = new Uint8Array(zerosBytes)
  let globals: PaxRecords = []
  let extras: Extras = { records: [] }
  for (;;) {
    const at = source.takenBytes
    const block = await source.read(blockBytes, 'a header')
    if (!block) {
      throw repositoryError(
        'REPOSITORY_BAD_TAR',
        `the tar stream ends after ${at} bytes without the mark of its end; it was cut off`,
      )
    }
    const header = parseHeader(block, at)
    if (!header) break
    const { type } = header
    if (type === 'x' || type === 'X') extras = { ...extras, records: parsePax(await readMeta(source, header)) }
    else if (type === 'g') globals = [...globals, ...parsePax(await readMeta(source, header))]
    else if (type === 'L') extras = { ...extras, longName: withoutZero(await readMeta(source, header)) }
    else if (type === 'K') extras = { ...extras, longLink: withoutZero(await readMeta(source, header)) }
    else if (type === 'V' || type === 'A') await source.skip(padded(header.sizeBytes), 'a label')
    else {
      yield* readEntry({
        source,
        zeros,
        header,
        block: Buffer.from(block),
        extras: { ...extras, records: [...globals, ...extras.records] },
      })
      extras = { records: [] }
    }
  }
  await source.drain()
}

interface Extras {
  readonly records: PaxRecords
  readonly longName?: Buffer
  readonly longLink?: Buffer
}

interface RawEntry {
  readonly source: ByteSource
  readonly zeros: Uint8Array
  readonly header: TarHeader
  readonly block: Buffer
  readonly extras: Extras
}

async function* readEntry({ source, zeros, header, block, extras }: RawEntry): AsyncGenerator<TarEntry> {
  const { records } = extras
  const path = paxValue(records, 'GNU.sparse.name') ?? paxValue(records, 'path') ?? extras.longName ?? header.path
  const what = `"${path.toString()}"`
  const storedBytes = paxNumber(records, 'size') ?? header.sizeBytes
  const type = typeOf(header, path)
  const sparse =
    header.type === 'S' ? await readOldGnuMap(block, source) : type === 'file' ? await readPaxMap(records, source) : undefined
  // Some writers give links a size without data; only files and directories' dumps have any.
  const dataBytes = type === 'file' || header.type === 'D' ? storedBytes - (sparse?.mapBytes ?? 0) : 0
  const end = source.takenBytes + dataBytes
  const entry: TarEntry = {
    type,
    path,
    mode: header.mode & 0o7777,
    uid: paxNumber(records, 'uid') ?? header.uid,
    gid: paxNumber(records, 'gid') ?? header.gid,
    user: paxValue(records, 'uname')?.toString() ?? header.user,
    group: paxValue(records, 'gname')?.toString() ?? header.group,
    mtime: paxTime(records, 'mtime') ?? BigInt(header.mtime) * 1_000_000_000n,
    linkTarget: paxValue(records, 'linkpath') ?? extras.longLink ?? header.linkTarget,
    deviceMajor: header.deviceMajor,
    deviceMinor: header.deviceMinor,
    attributes: paxAttributes(records),
    sizeBytes: type === 'file' ? (sparse?.sizeBytes ?? storedBytes) : 0,
    data: () => readData(source, dataBytes, sparse, { zeros, what }),
  }
  yield entry
  await source.skip(end - source.takenBytes + (padded(storedBytes) - storedBytes) * (dataBytes > 0 || sparse ? 1 : 0), what)
}

function typeOf({ type }: TarHeader, path: Buffer): TarEntryType {
  switch (type) {
    case '1':
      return 'hardlink'
    case '2':
      return 'symlink'
    case '3':
      return 'chardev'
    case '4':
      return 'dev'
    case '5':
    case 'D':
      return 'dir'
    case '6':
      return 'fifo'
    case 'M':
      throw repositoryError(
        'REPOSITORY_BAD_TAR',
        'the tar stream is a further volume of an archive in several; only whole archives can be backed up',
      )
    default:
      // Before ustar a directory was a file whose name ends in a slash; unknown types are files, as POSIX asks.
      return path.at(-1) === 0x2f && (type === '0' || type === '\0') ? 'dir' : 'file'
  }
}

async function* readData(
  source: ByteSource,
  dataBytes: number,
  sparse: SparseMap | undefined,
  { zeros, what }: { readonly zeros: Uint8Array; readonly what: string },
): AsyncGenerator<Uint8Array> {
  const pieces = sparse?.pieces ?? [{ offset: 0, length: dataBytes }]
  let at = 0
  for (const { offset, length } of pieces) {
    for (; at < offset; at += Math.min(zeros.length, offset - at)) yield zeros.subarray(0, offset - at)
    for (let left = length; left > 0;) {
      const bytes = await source.next(left, what)
      left -= bytes.length
      yield bytes
    }
    at = offset + length
  }
  const end = sparse?.sizeBytes ?? dataBytes
  for (; at < end; at += Math.min(zeros.length, end - at)) yield zeros.subarray(0, end - at)
}

async function readMeta(source: ByteSource, header: TarHeader): Promise<Buffer> {
  const { sizeBytes } = header
  if (sizeBytes > maxMetaBytes)
    throw repositoryError('REPOSITORY_BAD_TAR', `the tar stream has a name or pax header of ${sizeBytes} bytes; it is damaged`)
  const body = sizeBytes === 0 ? Buffer.alloc(0) : await source.read(sizeBytes, 'a pax header')
  const copy = Buffer.from(body ?? [])
  await source.skip(padded(sizeBytes) - sizeBytes, 'a pax header')
  return copy
}

function withoutZero(name: Buffer): Buffer {
  const zero = name.indexOf(0)
  return zero < 0 ? name : name.subarray(0, zero)
}

export function padded(bytes: number): number {
  return Math.ceil(bytes / blockBytes) * blockBytes
}
