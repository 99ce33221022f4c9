import type { Nanos } from '../format/go-time.ts'
import type { ExtendedAttribute } from '../format/node.ts'
import { type PaxRecords, renderAttributeKey, renderPax } from './pax.ts'
import type { TarEntryType } from './read-tar.ts'
import { blockBytes } from './tar-header.ts'

export interface RenderedEntry {
  readonly type: TarEntryType
  readonly path: Buffer
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtime: Nanos
  readonly sizeBytes?: number
  readonly linkTarget?: Buffer
  readonly deviceMajor?: number
  readonly deviceMinor?: number
  readonly attributes?: readonly ExtendedAttribute[] | undefined
}

const typeFlags: Readonly<Record<TarEntryType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  chardev: '3',
  dev: '4',
  dir: '5',
  fifo: '6',
}

/**
 * The blocks before an entry's data. What `tar -x` of both GNU and BusyBox needs is in GNU's form (long names, large numbers); what only some read
 * (fractions of seconds, extended attributes) is in a pax header, which BusyBox passes over. Owners go by number alone: a name that means another
 * number in the restoring container would give files to the wrong user.
 */
export function renderEntryBlocks(entry: RenderedEntry): Buffer {
  const path = entry.type === 'dir' && entry.path.at(-1) !== 0x2f ? Buffer.concat([entry.path, Buffer.from('/')]) : entry.path
  const link = entry.linkTarget ?? Buffer.alloc(0)
  const pax = renderPax(paxRecordsOf(entry))
  return Buffer.concat([
    ...(pax.length > 0 ? [metaBlocks('x', '././@PaxHeader', pax)] : []),
    ...(link.length > 100 ? [metaBlocks('K', '././@LongLink', Buffer.concat([link, Buffer.of(0)]))] : []),
    ...(path.length > 100 ? [metaBlocks('L', '././@LongLink', Buffer.concat([path, Buffer.of(0)]))] : []),
    headerBlock({ ...entry, path: path.subarray(0, 100), linkTarget: link.subarray(0, 100), flag: typeFlags[entry.type] }),
  ])
}

/** What fills the last block of an entry's data. */
export function paddingAfter(sizeBytes: number): Buffer {
  return Buffer.alloc((blockBytes - (sizeBytes % blockBytes)) % blockBytes)
}

/** Two blocks of zeros. */
export function renderEnd(): Buffer {
  return Buffer.alloc(2 * blockBytes)
}

function paxRecordsOf({ mtime, attributes = [] }: RenderedEntry): PaxRecords {
  const records: Array<readonly [string, Buffer]> = []
  const fraction = ((mtime % second) + second) % second
  if (fraction !== 0n) records.push(['mtime', Buffer.from(renderSeconds(mtime, fraction))])
  for (const { name, value } of attributes) records.push([renderAttributeKey(name), Buffer.from(value)])
  return records
}

const second = 1_000_000_000n

function renderSeconds(nanos: Nanos, fraction: bigint): string {
  const whole = (nanos - fraction) / second
  if (nanos >= 0n) return `${whole}.${fraction.toString().padStart(9, '0')}`
  // Pax writes −1.25 as "-1.25", not as −2 and 0.75.
  const positive = -nanos
  return `-${positive / second}.${(positive % second).toString().padStart(9, '0')}`
}

function metaBlocks(flag: string, name: string, body: Buffer): Buffer {
  const header = headerBlock({
    path: Buffer.from(name),
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime: 0n,
    sizeBytes: body.length,
    linkTarget: Buffer.alloc(0),
    flag,
  })
  return Buffer.concat([header, body, paddingAfter(body.length)])
}

interface HeaderFields extends Omit<RenderedEntry, 'type'> {
  readonly flag: string
  readonly linkTarget: Buffer
}

function headerBlock(fields: HeaderFields): Buffer {
  const block = Buffer.alloc(blockBytes)
  const fraction = ((fields.mtime % second) + second) % second
  fields.path.copy(block, 0)
  putNumber(block, 100, 8, fields.mode)
  putNumber(block, 108, 8, fields.uid)
  putNumber(block, 116, 8, fields.gid)
  putNumber(block, 124, 12, fields.sizeBytes ?? 0)
  putNumber(block, 136, 12, Number((fields.mtime - fraction) / second))
  block.write(fields.flag, 156, 'latin1')
  fields.linkTarget.copy(block, 157)
  block.write('ustar  \0', 257, 'latin1')
  putNumber(block, 329, 8, fields.deviceMajor ?? 0)
  putNumber(block, 337, 8, fields.deviceMinor ?? 0)
  block.fill(0x20, 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

/** Octal, or base 256 where that is too short or the number is negative. */
function putNumber(block: Buffer, at: number, length: number, value: number): void {
  const octal = value.toString(8)
  if (value >= 0 && octal.length < length) {
    block.write(`${octal.padStart(length - 1, '0')}\0`, at, 'latin1')
    return
  }
  let rest = BigInt(value)
  for (let i = length - 1; i > 0; i--) {
    block[at + i] = Number(BigInt.asUintN(8, rest))
    rest >>= 8n
  }
  block[at] = value < 0 ? 0xff : 0x80
}
