import { repositoryError } from '../errors.ts'
import type { ByteSource } from './byte-source.ts'
import { type PaxRecords, paxNumber, paxValue } from './pax.ts'
import { blockBytes, number } from './tar-header.ts'

/** Where a sparse file's stored bytes belong. Everything between is zeros. */
export interface SparseMap {
  readonly sizeBytes: number
  readonly pieces: ReadonlyArray<{ readonly offset: number; readonly length: number }>
  /** Bytes the map itself took from the entry's data. */
  readonly mapBytes: number
}

type Pieces = Array<{ offset: number; length: number }>

/** GNU's old form: the map begins in the header and goes on in blocks after it. */
export async function readOldGnuMap(header: Buffer, source: ByteSource): Promise<SparseMap> {
  const sizeBytes = number(header, 483, 12)
  const pieces: Pieces = []
  collect(header, 386, 4, pieces)
  let more = header[482] !== 0
  while (more) {
    const block = await source.read(blockBytes, 'the map of a sparse file')
    if (!block) throw bad()
    collect(block, 0, 21, pieces)
    more = block[504] !== 0
  }
  return checked({ sizeBytes, pieces, mapBytes: 0 })
}

/** The three forms within pax (0.0, 0.1, 1.0); undefined for a file that is not sparse. */
export async function readPaxMap(records: PaxRecords, source: ByteSource): Promise<SparseMap | undefined> {
  const sizeBytes = paxNumber(records, 'GNU.sparse.realsize') ?? paxNumber(records, 'GNU.sparse.size')
  if (sizeBytes === undefined) return undefined
  if (paxNumber(records, 'GNU.sparse.major') === 1) return checked({ sizeBytes, ...(await readMapInData(source)) })
  const list = paxValue(records, 'GNU.sparse.map')?.toString()
  const numbers = list === undefined ? versionZeroNumbers(records) : list.split(',').filter(Boolean).map(Number)
  return checked({ sizeBytes, pieces: pairs(numbers), mapBytes: 0 })
}

function collect(block: Buffer, start: number, count: number, pieces: Pieces): void {
  for (let i = 0; i < count; i++) {
    const at = start + 24 * i
    if (block[at] === 0) return
    pieces.push({ offset: number(block, at, 12), length: number(block, at + 12, 12) })
  }
}

function versionZeroNumbers(records: PaxRecords): number[] {
  return records.flatMap(([key, value]) =>
    key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes' ? [Number(value.toString())] : [],
  )
}

/** Version 1.0: decimal lines at the start of the data, the number of pieces first, padded to a block. */
async function readMapInData(source: ByteSource): Promise<{ pieces: Pieces; mapBytes: number }> {
  let text = ''
  let mapBytes = 0
  for (;;) {
    const lines = text.split('\n')
    const count = lines.length > 1 ? Number(lines[0]) : Infinity
    if (Number.isNaN(count) || mapBytes > 1 << 26) throw bad()
    if (lines.length > 1 + 2 * count) return { pieces: pairs(lines.slice(1, 1 + 2 * count).map(Number)), mapBytes }
    const block = await source.read(blockBytes, 'the map of a sparse file')
    if (!block) throw bad()
    text += block.toString('latin1')
    mapBytes += blockBytes
  }
}

function pairs(numbers: readonly number[]): Pieces {
  const pieces: Pieces = []
  for (let i = 0; i + 1 < numbers.length; i += 2) pieces.push({ offset: numbers[i] ?? 0, length: numbers[i + 1] ?? 0 })
  return pieces
}

function checked(map: SparseMap): SparseMap {
  let end = 0
  for (const { offset, length } of map.pieces) {
    if (!(offset >= end) || !(length >= 0) || offset + length > map.sizeBytes) throw bad()
    end = offset + length
  }
  return map
}

function bad(): Error {
  return repositoryError('REPOSITORY_BAD_TAR', 'the tar stream holds a sparse file whose map cannot be read; it is damaged')
}
