import { fromBytes, isRawByte, toBytes } from './byte-string.ts'
import { isPrintable } from './quote.ts'

/** `html`: what HTML would take for markup becomes entities. */
export function escapeHtml(text: string): string {
  return text.replace(/["'&<>\0]/g, (char) => htmlEntities[char] ?? char)
}

const htmlEntities: Readonly<Record<string, string>> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\0': '\ufffd',
}

/** `js`: safe inside of a JavaScript string. */
export function escapeJs(text: string): string {
  let out = ''
  for (const char of text) out += escapeJsChar(char)
  return out
}

function escapeJsChar(char: string): string {
  const code = char.codePointAt(0) ?? 0
  if (char === '\\' || char === "'" || char === '"') return `\\${char}`
  if (code < 0x20 || '<>&='.includes(char)) return `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`
  // A byte outside of UTF-8 is U+FFFD to Go's check, which is printable, so the byte itself passes.
  if (code < 0x80 || isRawByte(code) || isPrintable(char)) return char
  return `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`
}

/** `urlquery`: for a part of a URL's query; a space is a plus. */
export function escapeUrlQuery(text: string): string {
  let out = ''
  for (const byte of toBytes(text)) {
    const char = String.fromCharCode(byte)
    if (/[A-Za-z0-9\-_.~]/.test(char)) out += char
    else out += char === ' ' ? '+' : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return fromBytes(toBytes(out))
}
