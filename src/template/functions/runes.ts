import { isRawByte } from '../go/byte-string.ts'

/** `unicode.IsSpace` */
export function isSpace(char: string): boolean {
  return /^[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/u.test(char)
}

/** `unicode.IsUpper` */
export function isUpper(char: string): boolean {
  return /^\p{Lu}$/u.test(char)
}

/** `unicode.IsLower` */
export function isLower(char: string): boolean {
  return /^\p{Ll}$/u.test(char)
}

/** `unicode.IsLetter` */
export function isLetter(char: string): boolean {
  return /^\p{L}$/u.test(char)
}

/** `unicode.IsNumber` */
export function isNumber(char: string): boolean {
  return /^\p{N}$/u.test(char)
}

/** `[]rune(text)`: a byte that is not UTF-8 becomes U+FFFD. */
export function runesOf(text: string): string[] {
  return Array.from(text, (char) => (isRawByte(char.codePointAt(0) ?? 0) ? '\ufffd' : char))
}

/** `strings.Map` */
export function mapRunes(text: string, map: (char: string) => string): string {
  return runesOf(text).map(map).join('')
}

/** `unicode.ToUpper`: one character for one; where the full mapping of Unicode gives several, the simple one. */
export function upperRune(char: string): string {
  return simple(char, char.toUpperCase(), upperExceptions)
}

/** `unicode.ToLower` */
export function lowerRune(char: string): string {
  return simple(char, char.toLowerCase(), lowerExceptions)
}

/** `unicode.ToTitle`: as upper case, but for digraphs such as ǆ, and Georgian, which has no title case. */
export function titleRune(char: string): string {
  if (/^[\u10d0-\u10ff]$/.test(char)) return char
  return titleOfDigraph.get(char) ?? upperRune(char)
}

function simple(char: string, full: string, exceptions: ReadonlyMap<string, string>): string {
  const exception = exceptions.get(char)
  if (exception !== undefined) return exception
  return Array.from(full).length === 1 ? full : char
}

/** Greek letters with an iota below have no upper case of one character; Unicode's simple mapping takes the title case. */
const upperExceptions: ReadonlyMap<string, string> = new Map([
  ...[0x1f80, 0x1f90, 0x1fa0].flatMap((from) =>
    Array.from({ length: 8 }, (_, at) => [String.fromCodePoint(from + at), String.fromCodePoint(from + at + 8)] as const),
  ),
  ['ᾳ', 'ᾼ'],
  ['ῃ', 'ῌ'],
  ['ῳ', 'ῼ'],
])

const lowerExceptions: ReadonlyMap<string, string> = new Map([['İ', 'i']])

const titleOfDigraph: ReadonlyMap<string, string> = new Map(
  ['ǅǄǆ', 'ǈǇǉ', 'ǋǊǌ', 'ǲǱǳ'].flatMap(([title = '', upper = '', lower = '']) => [
    [title, title] as const,
    [upper, title] as const,
    [lower, title] as const,
  ]),
)
