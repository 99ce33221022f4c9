/**
 * Go strings are bytes; ours are JavaScript strings. Text that is valid UTF-8 is itself. A byte that is not part of
 * valid UTF-8 is held as the lone surrogate U+DC00 + byte (U+DC80 to U+DCFF), one for each such byte, which is also
 * how Go walks over them (each is one rune U+FFFD of width 1). Valid UTF-8 never holds surrogates, so this is exact in
 * both directions. After cutting or joining by bytes such parts may form a character: `canonical` makes it one again.
 * The evaluator does that to every string a function returns, so most functions need not care.
 */

const encoder = new TextEncoder()
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** True for text that holds bytes that are not UTF-8. */
export function hasRawBytes(text: string): boolean {
  return !text.isWellFormed()
}

/** The bytes of a Go string. */
export function toBytes(text: string): Uint8Array {
  if (!hasRawBytes(text)) return encoder.encode(text)
  const parts: number[] = []
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0
    if (isRawByte(code)) parts.push(code - 0xdc00)
    // A surrogate that is no byte of ours came from outside; it counts as the three bytes of U+FFFD.
    else for (const byte of encoder.encode(char)) parts.push(byte)
  }
  return Uint8Array.from(parts)
}

/** The Go string of these bytes, whatever they are. */
export function fromBytes(bytes: Uint8Array): string {
  try {
    return strictDecoder.decode(bytes)
  } catch {
    // Not UTF-8 as a whole: go through it character by character.
    return fromMixedBytes(bytes)
  }
}

/** The same bytes in their one right form. Cheap for ordinary text. */
export function canonical(text: string): string {
  return hasRawBytes(text) ? fromBytes(toBytes(text)) : text
}

/** `len(s)` in Go. */
export function byteLength(text: string): number {
  return hasRawBytes(text) ? toBytes(text).length : Buffer.byteLength(text)
}

/** `s[from:to]` in Go, by bytes. The caller has checked the bounds. */
export function byteSlice(text: string, from: number, to: number): string {
  return isAscii(text) ? text.slice(from, to) : fromBytes(toBytes(text).subarray(from, to))
}

/** Go's `range` over a string: byte offset and rune; a byte that is not UTF-8 gives 0xFFFD. */
export function* runes(text: string): Generator<readonly [offset: number, rune: number]> {
  let offset = 0
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0
    if (isRawByte(code)) {
      yield [offset, 0xfffd]
      offset += 1
    } else {
      yield [offset, code >= 0xd800 && code <= 0xdfff ? 0xfffd : code]
      offset += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
    }
  }
}

/** Go's order of strings, by bytes. */
export function compareBytes(a: string, b: string): number {
  if (a === b) return 0
  return Buffer.compare(toBytes(a), toBytes(b))
}

/** `string(rune)` in Go: U+FFFD for what is no character. */
export function fromRune(rune: bigint | number): string {
  const code = Number(rune)
  if (code < 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return '\ufffd'
  return String.fromCodePoint(code)
}

/** True for the code unit that stands for a byte outside of UTF-8. */
export function isRawByte(code: number): boolean {
  return code >= 0xdc80 && code <= 0xdcff
}

export function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false
  return true
}

function fromMixedBytes(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length;) {
    const width = characterWidth(bytes, at)
    if (width === 0) text += String.fromCharCode(0xdc00 + (bytes[at] ?? 0))
    else text += strictDecoder.decode(bytes.subarray(at, at + width))
    at += Math.max(1, width)
  }
  return text
}

/** Bytes of the valid character at `at`, or 0. */
function characterWidth(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0
  const width = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0
  if (width === 1) return 1
  if (width === 0 || first > 0xf4 || at + width > bytes.length) return 0
  for (let next = 1; next < width; next++) if (((bytes[at + next] ?? 0) & 0xc0) !== 0x80) return 0
  const second = bytes[at + 1] ?? 0
  // Overlong forms, surrogates and what lies beyond U+10FFFF.
  if ((first === 0xe0 && second < 0xa0) || (first === 0xed && second > 0x9f)) return 0
  if ((first === 0xf0 && second < 0x90) || (first === 0xf4 && second > 0x8f)) return 0
  return width
}
