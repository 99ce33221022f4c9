import { goJson } from '../../base/go-json.ts'

/**
 * Names and link targets are bytes; Go prints them into JSON in two steps. `quoteName` is the inside of Go's `strconv.Quote`, which
 * keeps every byte (`\xNN` where it is not UTF-8); `goJsonBytes` is how `encoding/json` prints a string that may not be UTF-8.
 */
export function quoteName(name: Uint8Array): string {
  const plain = Buffer.from(name.buffer, name.byteOffset, name.length).toString('latin1')
  if (plainName.test(plain)) return plain
  let text = ''
  for (const piece of decodeUtf8(name)) {
    if (piece.char === undefined) text += `\\x${hex(piece.byte, 2)}`
    else text += quoteChar(piece.char)
  }
  return text
}

/** What stands for itself. */
const plainName = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/

/** The bytes of a name as Go quoted it; undefined where the text is not such a quotation. */
export function unquoteName(quoted: string): Buffer | undefined {
  if (plainName.test(quoted)) return Buffer.from(quoted, 'latin1')
  const pieces: Buffer[] = []
  for (const [whole, escape] of quoted.matchAll(/\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|[0-7]{3}|.?)|[^\\]+/gs)) {
    if (escape === undefined) pieces.push(Buffer.from(whole))
    else {
      const bytes = unescape(escape)
      if (!bytes) return undefined
      pieces.push(bytes)
    }
  }
  return Buffer.concat(pieces)
}

/** A JSON string literal from bytes: valid UTF-8 as `goJson` prints it, each byte that is not as the six characters `\ufffd`. */
export function goJsonBytes(bytes: Uint8Array): string {
  let text = ''
  let run = ''
  for (const piece of decodeUtf8(bytes)) {
    if (piece.char !== undefined) run += piece.char
    else {
      text += `${goJson(run).slice(1, -1)}\\ufffd`
      run = ''
    }
  }
  return `"${text}${goJson(run).slice(1, -1)}"`
}

export function isUtf8Text(bytes: Uint8Array): boolean {
  for (const piece of decodeUtf8(bytes)) if (piece.char === undefined) return false
  return true
}

type Piece = { readonly char: string; readonly byte?: never } | { readonly char?: undefined; readonly byte: number }

/** Characters, and single bytes wherever the encoding is broken: a broken sequence loses one byte at a time, as in Go. */
function* decodeUtf8(bytes: Uint8Array): Generator<Piece> {
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at] ?? 0
    const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0
    const code = length === 0 || at + length > bytes.length ? undefined : decodeOne(bytes, at, length)
    if (code === undefined) {
      yield { byte: first }
      at++
    } else {
      yield { char: String.fromCodePoint(code) }
      at += length
    }
  }
}

const smallest = [0, 0, 0x80, 0x800, 0x1_0000] as const

function decodeOne(bytes: Uint8Array, at: number, length: number): number | undefined {
  const first = bytes[at] ?? 0
  if (length === 1) return first
  let code = first & (0xff >> (length + 1))
  for (let i = 1; i < length; i++) {
    const next = bytes[at + i] ?? 0
    if ((next & 0xc0) !== 0x80) return undefined
    code = (code << 6) | (next & 0x3f)
  }
  const bad = code < (smallest[length] ?? 0) || code > 0x10_ffff || (code >= 0xd800 && code <= 0xdfff)
  return bad ? undefined : code
}

const short: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}

/** Letters, marks, numbers, punctuation, symbols and the plain space. Characters newer than the reader's Go are the one difference left. */
const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u

function quoteChar(char: string): string {
  const known = short[char]
  if (known !== undefined) return known
  if (printable.test(char)) return char
  const code = char.codePointAt(0) ?? 0
  if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`
  return code < 0x1_0000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`
}

const single: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '\\': 0x5c,
  "'": 0x27,
  '"': 0x22,
}

function unescape(escape: string): Buffer | undefined {
  const kind = escape[0]
  if (kind === 'x' && escape.length === 3) return Buffer.of(Number.parseInt(escape.slice(1), 16))
  if ((kind === 'u' || kind === 'U') && escape.length > 4) {
    const code = Number.parseInt(escape.slice(1), 16)
    return code > 0x10_ffff ? undefined : Buffer.from(String.fromCodePoint(code))
  }
  if (/^[0-3][0-7]{2}$/.test(escape)) return Buffer.of(Number.parseInt(escape, 8))
  const code = single[escape]
  return code === undefined ? undefined : Buffer.of(code)
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}
