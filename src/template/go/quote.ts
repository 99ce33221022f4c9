import { fromBytes, isRawByte, toBytes } from './byte-string.ts'

/** `strconv.Quote(s)`: Go syntax in double quotes, what is not printable escaped, bytes outside of UTF-8 as \xNN. */
export function quote(text: string): string {
  return quoteWith(text, '"', false)
}

/** `strconv.QuoteToASCII(s)`: everything outside of ASCII escaped too. */
export function quoteToAscii(text: string): string {
  return quoteWith(text, '"', true)
}

/** `strconv.QuoteRune(r)`, or QuoteRuneToASCII: a character in single quotes; U+FFFD for what is none. */
export function quoteRune(rune: number, asciiOnly: boolean): string {
  const valid = rune >= 0 && rune <= 0x10ffff && !(rune >= 0xd800 && rune <= 0xdfff)
  return quoteWith(String.fromCodePoint(valid ? rune : 0xfffd), "'", asciiOnly)
}

/** `unicode.IsPrint(r)`: letters, marks, numbers, punctuation, symbols and the ASCII space. */
export function isPrintable(char: string): boolean {
  return /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(char)
}

/** `strconv.CanBackquote(s)`: whether it can stand in a raw string on one line. */
export function canBackquote(text: string): boolean {
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0
    if (code === 0xfeff || code === 0x7f || char === '`' || (code < 0x20 && char !== '\t') || isRawByte(code)) return false
  }
  return true
}

/** `strconv.Unquote` of a string in double quotes or back quotes; undefined for bad syntax. */
export function unquote(quoted: string): string | undefined {
  const inner = quoted.slice(1, -1)
  // A carriage return does not count inside of back quotes.
  if (quoted.startsWith('`')) return inner.replaceAll('\r', '')
  if (!inner.includes('\\')) return inner
  const parts: Array<Uint8Array> = []
  for (let at = 0; at < inner.length;) {
    const piece = readChar(inner, at, '"')
    if (piece === undefined) return undefined
    parts.push(typeof piece.content === 'number' ? Uint8Array.of(piece.content) : toBytes(piece.content))
    at += piece.width
  }
  return fromBytes(Buffer.concat(parts))
}

/** The rune of a character constant with its quotes, or why it is none. */
export function unquoteChar(quoted: string): number | 'syntax' | 'malformed' {
  const piece = readChar(quoted, 1, "'")
  if (piece === undefined || quoted[1] === "'") return 'syntax'
  if (quoted.slice(1 + piece.width) !== "'") return 'malformed'
  if (typeof piece.content === 'number') return piece.content
  const code = piece.content.codePointAt(0) ?? 0
  return isRawByte(code) ? 0xfffd : code
}

const simpleEscapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
}

const escapeOf: ReadonlyMap<string, string> = new Map(
  Object.entries(simpleEscapes).map(([letter, char]) => [char, `\\${letter}`]),
)

function quoteWith(text: string, mark: string, asciiOnly: boolean): string {
  let out = mark
  for (const char of text) out += quoteChar(char, mark, asciiOnly)
  return out + mark
}

function quoteChar(char: string, mark: string, asciiOnly: boolean): string {
  const code = char.codePointAt(0) ?? 0
  if (char === mark) return `\\${char}`
  const escape = escapeOf.get(char)
  if (escape !== undefined) return escape
  if (isRawByte(code)) return `\\x${hex(code - 0xdc00, 2)}`
  if (isPrintable(char) && (!asciiOnly || code < 0x80)) return char
  if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`
}

function hex(code: number, width: number): string {
  return code.toString(16).padStart(width, '0')
}

/** One character of a literal, escapes resolved. A number is a byte (`\xff`, `\377`). */
function readChar(text: string, at: number, mark: string): { content: string | number; width: number } | undefined {
  const first = String.fromCodePoint(text.codePointAt(at) ?? 0)
  if (first !== '\\') return first === mark && mark === '"' ? undefined : { content: first, width: first.length }
  const letter = text[at + 1] ?? ''
  const simple = simpleEscapes[letter]
  if (simple !== undefined) return { content: simple, width: 2 }
  if (letter === mark) return { content: mark, width: 2 }
  return readNumericEscape(text.slice(at))
}

function readNumericEscape(text: string): { content: string | number; width: number } | undefined {
  const match = /^\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3}))/.exec(text)
  if (!match) return undefined
  const width = match[0].length
  if (match[1] !== undefined) return { content: Number.parseInt(match[1], 16), width }
  if (match[4] !== undefined) {
    const byte = Number.parseInt(match[4], 8)
    return byte > 255 ? undefined : { content: byte, width }
  }
  const code = Number.parseInt(match[2] ?? match[3] ?? '', 16)
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined
  return { content: String.fromCodePoint(code), width }
}
