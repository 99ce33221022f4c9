import { createCipheriv, createHash } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const MiB = 1 << 20

/** Writes the same bytes for the same size everywhere: half text that compresses well, half noise, 30 % of it repeats of earlier parts. */
export function writeMixedInput(path: string, sizeBytes: number): void {
  const file = openSync(path, 'w+')
  const noise = createCipheriv('aes-256-ctr', createHash('sha256').update('bench').digest(), Buffer.alloc(16))
  const random = randomNumbers(12_345)
  const segments: Array<{ at: number; length: number; text: boolean }> = []
  let repeated = 0
  let text = 0
  let row = 0
  for (let at = 0; at < sizeBytes;) {
    const length = Math.min(sizeBytes - at, Math.floor((8 + random() * 24) * MiB))
    const earlier = repeated < 0.3 * at && segments.length > 3 ? segments[Math.floor(random() * segments.length)] : undefined
    const kind = earlier ? earlier.text : text * 2 <= at
    const bytes = Buffer.alloc(earlier ? Math.min(length, earlier.length) : length)
    if (earlier) readSync(file, bytes, 0, bytes.length, earlier.at)
    else if (kind) row = fillText(bytes, row, random)
    else noise.update(bytes).copy(bytes)
    writeSync(file, bytes, 0, bytes.length, at)
    if (earlier) repeated += bytes.length
    else segments.push({ at, length: bytes.length, text: kind })
    if (kind) text += bytes.length
    at += bytes.length
  }
  closeSync(file)
}

/** Overwrites about 1 % of the file with new noise, in pieces of some hundred KiB. */
export function changeOnePercent(path: string, sizeBytes: number): void {
  const file = openSync(path, 'r+')
  const noise = createCipheriv('aes-256-ctr', createHash('sha256').update('change').digest(), Buffer.alloc(16))
  const random = randomNumbers(54_321)
  for (let changed = 0; changed < sizeBytes / 100;) {
    const length = Math.floor((0.25 + random() * 1.5) * MiB)
    writeSync(file, noise.update(Buffer.alloc(length)), 0, length, Math.floor(random() * (sizeBytes - length)))
    changed += length
  }
  closeSync(file)
}

/** Files of 0.5 to 8 KiB, 100 in a folder, as a tree of sources has them. */
export function writeSmallFiles(folder: string, count: number): void {
  const random = randomNumbers(777)
  const bytes = Buffer.alloc(8 << 10)
  let row = 0
  for (let i = 0; i < count; i++) {
    const parent = join(folder, String(Math.floor(i / 10_000)), String(Math.floor(i / 100)))
    if (i % 100 === 0) mkdirSync(parent, { recursive: true })
    if (i % 16 === 0) row = fillText(bytes, row, random)
    bytes.writeUInt32LE(i)
    writeFileSync(join(parent, `file-${i}`), bytes.subarray(0, 512 + Math.floor(random() * 7680)))
  }
}

const words =
  'select insert update order customer invoice total amount street city country null true false 2026-11-21 pending shipped'.split(
    ' ',
  )

/** Lines as a database dump has them. Returns the number of the next row. */
function fillText(bytes: Buffer, firstRow: number, random: () => number): number {
  let row = firstRow
  for (let at = 0; at < bytes.length; row++) {
    const fields = Array.from({ length: 8 }, () =>
      random() < 0.3 ? Math.floor(random() * 1e9).toString(36) : words[Math.floor(random() * words.length)],
    )
    at += bytes.write(`${row}\t${fields.join('\t')}\n`, at, 'latin1')
  }
  return row
}

function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) / 2 ** 24
  }
}
