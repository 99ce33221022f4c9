import { fromBytes, isAscii, toBytes } from '../go/byte-string.ts'
import { FunctionError } from './define.ts'

/**
 * These cut text by bytes, as the Go functions of their names do. A byte string is text with one character (U+0000 to
 * U+00FF) for each byte.
 */
export function toByteString(text: string): string {
  return isAscii(text) ? text : Buffer.from(toBytes(text)).toString('latin1')
}

export function fromByteString(bytes: string): string {
  return isAscii(bytes) ? bytes : fromBytes(Buffer.from(bytes, 'latin1'))
}

/** `s[from:to]` with Go's errors for bounds outside of the text; `to` may be left out. */
export function sliceBytes(text: string, from: bigint, to?: bigint): string {
  const bytes = toByteString(text)
  const length = BigInt(bytes.length)
  if (to !== undefined && to < 0n) throw outOfRange(`[:${to}]`)
  if (to !== undefined && to > length) throw outOfRange(`[:${to}] with length ${length}`)
  const end = to ?? length
  if (from < 0n) throw outOfRange(`[${from}:]`)
  if (from > end) throw outOfRange(`[${from}:${end}]`)
  return fromByteString(bytes.slice(Number(from), Number(end)))
}

export function outOfRange(bounds: string): FunctionError {
  return new FunctionError(`runtime error: slice bounds out of range ${bounds}`)
}

/** sprig's `abbrev` and `abbrevboth`: at most `width` bytes with `...` for what was cut, keeping `offset` in sight. */
export function abbreviate(text: string, offset: bigint, width: bigint): string {
  const bytes = toByteString(text)
  if (bytes === '' || width < 4n || BigInt(bytes.length) <= width) return width < 4n ? '' : text
  return fromByteString(abbreviateBytes(bytes, offset > BigInt(bytes.length) ? bytes.length : Number(offset), Number(width)))
}

function abbreviateBytes(bytes: string, wanted: number, width: number): string {
  const room = width - 3
  const offset = bytes.length - wanted < room ? bytes.length - room : wanted
  if (offset <= 4) return `${bytes.slice(0, room)}...`
  if (width < 7) return ''
  const tail = bytes.slice(offset)
  if (offset + room >= bytes.length) return `...${bytes.slice(bytes.length - room)}`
  return `...${tail.length <= room ? tail : abbreviateBytes(tail, 0, room)}`
}

/** sprig's `wrap`: breaks lines at spaces so that they have at most `width` bytes; longer words stay or are cut. */
export function wrapText(text: string, width: bigint, newline: string, cutsWords: boolean): string {
  const bytes = toByteString(text)
  const limit = width < 1n ? 1 : width > BigInt(bytes.length) ? bytes.length : Number(width)
  const lines: string[] = []
  let offset = 0
  while (bytes.length - offset > limit) {
    if (bytes[offset] === ' ') {
      offset++
      continue
    }
    const end = lineEnd(bytes, offset, limit, cutsWords)
    lines.push(bytes.slice(offset, end.at))
    offset = end.next
    if (end.isLast) return fromByteString(lines.join(toByteString(newline)))
  }
  lines.push(bytes.slice(offset))
  return fromByteString(lines.join(toByteString(newline)))
}

function lineEnd(
  bytes: string,
  offset: number,
  limit: number,
  cutsWords: boolean,
): { at: number; next: number; isLast?: boolean } {
  const space = bytes.lastIndexOf(' ', offset + limit)
  if (space >= offset) return { at: space, next: space + 1 }
  if (cutsWords) return { at: offset + limit, next: offset + limit }
  const behind = bytes.indexOf(' ', offset + limit)
  return behind < 0 ? { at: bytes.length, next: bytes.length, isLast: true } : { at: behind, next: behind + 1 }
}
