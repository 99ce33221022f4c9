import { any, bool, int, string, stringMap, stringSlice } from '../go/go-type.ts'
import { sprintValue } from '../go/print.ts'
import { quote } from '../go/quote.ts'
import { compareBytes } from '../go/byte-string.ts'
import { GoBytes, GoPointer, GoSlice, stringMapOf, stringsOf } from '../go/value.ts'
import { checkTextLength, repeatText } from './bounds.ts'
import { defineTemplateFunction, type TemplateFunction } from './define.ts'
import { randomBelow, randomText } from './random.ts'
import { isSpace, runesOf } from './runes.ts'
import { camelCase, lowerCase, separatedCase, swapCase, titleCase, untitle, upperCase } from './text-case.ts'
import { abbreviate, sliceBytes, toByteString, wrapText } from './text-layout.ts'
import { textOf, textsOf } from './text-of.ts'

export const stringFunctions: readonly TemplateFunction[] = [
  textToText('trim', 'Without white space at both ends.', ['{{ trim "  x " }}', 'x'], trimSpace),
  textToText('upper', 'In upper case.', ['{{ upper "abc" }}', 'ABC'], upperCase),
  textToText('lower', 'In lower case.', ['{{ lower "ABC" }}', 'abc'], lowerCase),
  textToText('title', 'The first letter of each word in upper case.', ['{{ title "my db" }}', 'My Db'], titleCase),
  textToText('untitle', 'The first letter of each word in lower case.', ['{{ untitle "My DB" }}', 'my dB'], untitle),
  textToText('swapcase', 'Upper and lower case exchanged.', ['{{ swapcase "aBC" }}', 'Abc'], swapCase),
  textToText('snakecase', 'Words parted by `_`.', ['{{ snakecase "FirstName" }}', 'first_name'], (text) =>
    separatedCase(text, '_'),
  ),
  textToText('kebabcase', 'Words parted by `-`.', ['{{ kebabcase "FirstName" }}', 'first-name'], (text) =>
    separatedCase(text, '-'),
  ),
  textToText(
    'camelcase',
    'Words parted by `_` joined, with capitals.',
    ['{{ camelcase "http_server" }}', 'HttpServer'],
    camelCase,
  ),
  textToText('nospace', 'Without any white space.', ['{{ nospace "a b c" }}', 'abc'], withoutSpace),
  textToText('initials', 'First letters of the words.', ['{{ initials "First Try" }}', 'FT'], initials),
  defineTemplateFunction({
    name: 'trunc',
    summary: 'The first bytes of a text.',
    example: ['{{ trunc 5 "hello world" }}', 'hello'],
    params: [int, string],
    result: string,
    call: (_host, count, text) => (BigInt(toByteString(text).length) <= count ? text : sliceBytes(text, 0n, count)),
  }),
  defineTemplateFunction({
    name: 'substr',
    summary: 'Bytes from a start to an end, without it; a negative start is 0, a negative end the end of the text.',
    example: ['{{ substr 0 5 "hello world" }}', 'hello'],
    params: [int, int, string],
    result: string,
    call: (_host, start, end, text) => {
      if (start < 0n) return sliceBytes(text, 0n, end)
      return end < 0n || end > BigInt(toByteString(text).length) ? sliceBytes(text, start) : sliceBytes(text, start, end)
    },
  }),
  defineTemplateFunction({
    name: 'abbrev',
    summary: 'At most that many bytes, the last three of them dots where something was cut.',
    example: ['{{ abbrev 8 "hello world" }}', 'hello...'],
    params: [int, string],
    result: string,
    call: (_host, width, text) => (width < 4n ? text : abbreviate(text, 0n, width)),
  }),
  defineTemplateFunction({
    name: 'abbrevboth',
    summary: 'Cuts on both sides: the place to keep in sight, then the width.',
    example: ['{{ abbrevboth 5 10 "1234 5678 9123" }}', '...5678...'],
    params: [int, int, string],
    result: string,
    call: (_host, left, right, text) => (right < 4n || (left > 0n && right < 7n) ? text : abbreviate(text, left, right)),
  }),
  defineTemplateFunction({
    name: 'repeat',
    summary: 'A text several times over.',
    example: ['{{ repeat 3 "ab" }}', 'ababab'],
    params: [int, string],
    result: string,
    call: (_host, count, text) => repeatText(text, count),
  }),
  ...(['trimAll', 'trimall'] as const).map((name) =>
    defineTemplateFunction({
      name,
      summary: 'Without any of these characters at both ends.',
      example: [`{{ ${name} "$" "$5.00$" }}`, '5.00'],
      params: [string, string],
      result: string,
      call: (_host, cutset, text) => trimCharacters(text, cutset),
    }),
  ),
  defineTemplateFunction({
    name: 'trimSuffix',
    summary: 'Without this end.',
    example: ['{{ trimSuffix ".gz" "a.tar.gz" }}', 'a.tar'],
    params: [string, string],
    result: string,
    call: (_host, suffix, text) => (text.endsWith(suffix) ? text.slice(0, text.length - suffix.length) : text),
  }),
  defineTemplateFunction({
    name: 'trimPrefix',
    summary: 'Without this beginning.',
    example: ['{{ trimPrefix "s3://" "s3://bucket" }}', 'bucket'],
    params: [string, string],
    result: string,
    call: (_host, prefix, text) => (text.startsWith(prefix) ? text.slice(prefix.length) : text),
  }),
  defineTemplateFunction({
    name: 'contains',
    summary: 'Whether the first text is in the second.',
    example: ['{{ contains "cat" "catch" }}', 'true'],
    params: [string, string],
    result: bool,
    call: (_host, part, text) => text.includes(part),
  }),
  defineTemplateFunction({
    name: 'hasPrefix',
    summary: 'Whether the second text begins with the first.',
    example: ['{{ hasPrefix "cat" "catch" }}', 'true'],
    params: [string, string],
    result: bool,
    call: (_host, prefix, text) => text.startsWith(prefix),
  }),
  defineTemplateFunction({
    name: 'hasSuffix',
    summary: 'Whether the second text ends with the first.',
    example: ['{{ hasSuffix "ch" "catch" }}', 'true'],
    params: [string, string],
    result: bool,
    call: (_host, suffix, text) => text.endsWith(suffix),
  }),
  defineTemplateFunction({
    name: 'replace',
    summary: 'Every occurrence of the first text in the third replaced by the second.',
    example: ['{{ replace ":" "-" "12:30:00" }}', '12-30-00'],
    params: [string, string, string],
    result: string,
    call: (_host, old, by, text) => replaceAll(text, old, by),
  }),
  defineTemplateFunction({
    name: 'quote',
    summary: 'Each value in double quotes, escaped as in Go; nil is left out.',
    example: ['{{ quote "a" "b\\n" }}', '"a" "b\\n"'],
    params: [],
    variadic: any,
    result: string,
    call: (_host, ...values) =>
      values
        .filter((value) => value !== null)
        .map((value) => quote(textOf(value)))
        .join(' '),
  }),
  defineTemplateFunction({
    name: 'squote',
    summary: 'Each value in single quotes, nothing escaped; nil is left out.',
    example: ['{{ squote "a" "b" }}', "'a' 'b'"],
    params: [],
    variadic: any,
    result: string,
    call: (_host, ...values) =>
      values
        .filter((value) => value !== null)
        .map((value) => `'${sprintValue(value)}'`)
        .join(' '),
  }),
  defineTemplateFunction({
    name: 'cat',
    summary: 'All values as text with a space between them; nil is left out.',
    example: ['{{ cat "a" 1 true }}', 'a 1 true'],
    params: [],
    variadic: any,
    result: string,
    call: (_host, ...values) =>
      values
        .filter((value) => value !== null)
        .map(sprintValue)
        .join(' '),
  }),
  defineTemplateFunction({
    name: 'indent',
    summary: 'Spaces before each line.',
    example: ['{{ indent 2 "a\\nb" }}', '  a\n  b'],
    params: [int, string],
    result: string,
    call: (_host, spaces, text) => indent(text, spaces),
  }),
  defineTemplateFunction({
    name: 'nindent',
    summary: 'As `indent`, with a new line before it.',
    example: ['{{ nindent 2 "a" }}', '\n  a'],
    params: [int, string],
    result: string,
    call: (_host, spaces, text) => `\n${indent(text, spaces)}`,
  }),
  defineTemplateFunction({
    name: 'wrap',
    summary: 'Breaks lines at spaces at a width; longer words stay whole.',
    example: ['{{ wrap 5 "hello my world" }}', 'hello\nmy\nworld'],
    params: [int, string],
    result: string,
    call: (_host, width, text) => wrapText(text, width, '\n', false),
  }),
  defineTemplateFunction({
    name: 'wrapWith',
    summary: 'Breaks lines at a width with a separator of choice; longer words are cut.',
    example: ['{{ wrapWith 3 "|" "abcdefgh" }}', 'abc|def|gh'],
    params: [int, string, string],
    result: string,
    call: (_host, width, separator, text) => wrapText(text, width, separator || '\n', true),
  }),
  defineTemplateFunction({
    name: 'plural',
    summary: 'The first text for a count of 1, else the second.',
    example: ['{{ plural "pod" "pods" 2 }}', 'pods'],
    params: [string, string, int],
    result: string,
    call: (_host, one, many, count) => (count === 1n ? one : many),
  }),
  defineTemplateFunction({
    name: 'toString',
    summary: 'Any value as text; bytes as what they spell.',
    example: ['{{ toString 5 }}', '5'],
    params: [any],
    result: string,
    call: (_host, value) => textOf(value),
  }),
  defineTemplateFunction({
    name: 'toStrings',
    summary: 'A list as a list of texts.',
    example: ['{{ list 1 2 | toStrings | join "," }}', '1,2'],
    params: [any],
    result: stringSlice,
    call: (_host, list) => stringsOf(textsOf(list)),
  }),
  defineTemplateFunction({
    name: 'join',
    summary: 'The items of a list as text, with a separator between them.',
    example: ['{{ list "a" "b" | join "-" }}', 'a-b'],
    params: [string, any],
    result: string,
    call: (_host, separator, list) => textsOf(list).join(separator),
  }),
  defineTemplateFunction({
    name: 'sortAlpha',
    summary: 'The items of a list as text, sorted by their bytes.',
    example: ['{{ list "c" "a" "b" | sortAlpha }}', '[a b c]'],
    params: [any],
    result: stringSlice,
    call: (_host, list) => {
      const inner = list instanceof GoPointer ? list.target : list
      if (!(inner instanceof GoSlice || inner instanceof GoBytes)) return stringsOf([textOf(list)])
      return stringsOf([...textsOf(list)].sort(compareBytes))
    },
  }),
  defineTemplateFunction({
    name: 'split',
    summary: 'The parts between separators, as a dictionary with the keys `_0`, `_1` and so on.',
    example: ['{{ (split "/" "a/b")._1 }}', 'b'],
    params: [string, string],
    result: stringMap,
    call: (_host, separator, text) => numbered(splitText(text, separator, -1n)),
  }),
  defineTemplateFunction({
    name: 'splitn',
    summary: 'As `split`, in at most that many parts.',
    example: ['{{ (splitn "/" 2 "a/b/c")._1 }}', 'b/c'],
    params: [string, int, string],
    result: stringMap,
    call: (_host, separator, count, text) => numbered(splitText(text, separator, count)),
  }),
  defineTemplateFunction({
    name: 'splitList',
    summary: 'The parts between separators, as a list.',
    example: ['{{ splitList "/" "a/b" }}', '[a b]'],
    params: [string, string],
    result: stringSlice,
    call: (_host, separator, text) => stringsOf(splitText(text, separator, -1n)),
  }),
  defineTemplateFunction({
    name: 'shuffle',
    summary: 'The characters of a text in random order.',
    example: ['{{ shuffle "aaa" }}', 'aaa'],
    params: [string],
    result: string,
    call: (host, text) => {
      const chars = runesOf(text)
      checkTextLength(chars.length)
      for (let at = chars.length - 1; at > 0; at--) {
        const other = at < 65_536 ? randomBelow(host, at + 1) : randomBelow(host, 65_536)
        ;[chars[at], chars[other]] = [chars[other] ?? '', chars[at] ?? '']
      }
      return chars.join('')
    },
  }),
  random('randAlphaNum', 'Random letters and digits.', `${letters()}0123456789`),
  random('randAlpha', 'Random letters.', letters()),
  random('randNumeric', 'Random digits.', '0123456789'),
  random(
    'randAscii',
    'Random printable ASCII characters.',
    String.fromCharCode(...Array.from({ length: 95 }, (_, at) => 32 + at)),
  ),
]

function textToText(
  name: string,
  summary: string,
  example: readonly [string, string],
  work: (text: string) => string,
): TemplateFunction {
  return defineTemplateFunction({ name, summary, example, params: [string], result: string, call: (_host, text) => work(text) })
}

function random(name: string, summary: string, alphabet: string): TemplateFunction {
  return defineTemplateFunction({
    name,
    summary,
    example: [`{{ ${name} 8 | len }}`, '8'],
    params: [int],
    result: string,
    call: (host, count) => {
      checkTextLength(Number(count))
      return randomText(host, count, alphabet)
    },
  })
}

function letters(): string {
  return 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
}

/** `strings.TrimSpace` */
function trimSpace(text: string): string {
  const chars = Array.from(text)
  let from = 0
  let to = chars.length
  while (from < to && isSpace(chars[from] ?? '')) from++
  while (to > from && isSpace(chars[to - 1] ?? '')) to--
  return chars.slice(from, to).join('')
}

function trimCharacters(text: string, cutset: string): string {
  const cut = new Set(cutset)
  const chars = Array.from(text)
  let from = 0
  let to = chars.length
  while (from < to && cut.has(chars[from] ?? '')) from++
  while (to > from && cut.has(chars[to - 1] ?? '')) to--
  return chars.slice(from, to).join('')
}

/** The original looks at each byte as if it were a character, and writes those that it keeps as characters. */
function withoutSpace(text: string): string {
  const bytes = Array.from(toByteString(text))
  const kept = bytes.filter((byte) => !isSpace(byte))
  return kept.length === bytes.length ? text : kept.join('')
}

/** By bytes too. */
function initials(text: string): string {
  let out = ''
  let begins = true
  for (const byte of toByteString(text)) {
    if (!isSpace(byte) && begins) out += byte
    begins = isSpace(byte)
  }
  return out
}

function replaceAll(text: string, old: string, by: string): string {
  const parts = old === '' ? ['', ...Array.from(text), ''] : text.split(old)
  checkTextLength(text.length + by.length * (parts.length - 1))
  if (old === '') return text === '' ? by : by + Array.from(text).join(by) + by
  return parts.join(by)
}

function indent(text: string, spaces: bigint): string {
  const pad = repeatText(' ', spaces)
  return pad + replaceAll(text, '\n', `\n${pad}`)
}

/** `strings.SplitN`; an empty separator parts characters. */
function splitText(text: string, separator: string, count: bigint): readonly string[] {
  if (count === 0n) return []
  const parts = separator === '' ? Array.from(text) : text.split(separator)
  if (count < 0n || BigInt(parts.length) <= count) return parts
  const head = parts.slice(0, Number(count) - 1)
  return [...head, parts.slice(Number(count) - 1).join(separator)]
}

function numbered(parts: readonly string[]): ReturnType<typeof stringMapOf> {
  return stringMapOf(parts.map((part, at) => [`_${at}`, part] as const))
}
