import { RE2JS, RE2JSException } from 're2js'
import { bool, int, string, stringSlice } from '../go/go-type.ts'
import { canBackquote, quote } from '../go/quote.ts'
import { GoSlice, stringsOf } from '../go/value.ts'
import { checkTextLength } from './bounds.ts'
import { defineTemplateFunction, FunctionError, type TemplateFunction } from './define.ts'
import { expandTemplate, type MatchGroups } from './regex-expand.ts'
import { type GroupNames, withoutNames } from './regex-names.ts'

/** Regular expressions in RE2 syntax, as Go's package regexp: time is linear in the text, whatever the pattern. */
export const regexFunctions: readonly TemplateFunction[] = [
  defineTemplateFunction({
    name: 'regexMatch',
    summary: 'Whether a pattern is found in a text; false for a pattern that is wrong.',
    example: ['{{ regexMatch "^db-[0-9]+$" "db-12" }}', 'true'],
    params: [string, string],
    result: bool,
    call: (_host, pattern, text) => {
      const compiled = tryCompile(pattern)
      return !(compiled instanceof RE2JSException) && compiled.re.matcher(text).find()
    },
  }),
  defineTemplateFunction({
    name: 'regexFind',
    summary: 'The first match of a pattern in a text, or the empty text.',
    example: ['{{ regexFind "[0-9]+" "id=42;" }}', '42'],
    params: [string, string],
    result: string,
    call: (_host, pattern, text) => {
      const [first] = findAll(compile(pattern).re, text, 1n)
      return first ? text.slice(first.start, first.end) : ''
    },
  }),
  defineTemplateFunction({
    name: 'regexFindAll',
    summary: 'At most that many matches of a pattern in a text; all of them for -1.',
    example: ['{{ regexFindAll "[a-z]+" "ab 1 cd" -1 }}', '[ab cd]'],
    params: [string, string, int],
    result: stringSlice,
    call: (_host, pattern, text, count) => {
      const found = findAll(compile(pattern).re, text, count)
      return new GoSlice(stringSlice, found.length === 0 ? undefined : found.map(({ start, end }) => text.slice(start, end)))
    },
  }),
  defineTemplateFunction({
    name: 'regexReplaceAll',
    summary: 'All matches in a text replaced; `$1` and `${name}` stand for groups.',
    example: ['{{ regexReplaceAll "a(x*)b" "-axxb-" "${1}W" }}', '-xxW-'],
    params: [string, string, string],
    result: string,
    call: (_host, pattern, text, template) => replaceAll(pattern, text, (groups) => expandTemplate(template, groups)),
  }),
  defineTemplateFunction({
    name: 'regexReplaceAllLiteral',
    summary: 'All matches in a text replaced by a text as it is.',
    example: ['{{ regexReplaceAllLiteral "a+" "baab" "$1" }}', 'b$1b'],
    params: [string, string, string],
    result: string,
    call: (_host, pattern, text, by) => replaceAll(pattern, text, () => by),
  }),
  defineTemplateFunction({
    name: 'regexSplit',
    summary: 'The parts between matches, at most that many; all of them for -1.',
    example: ['{{ regexSplit "[,;]" "a,b;c" -1 }}', '[a b c]'],
    params: [string, string, int],
    result: stringSlice,
    call: (_host, pattern, text, count) => split(pattern, compile(pattern).re, text, count),
  }),
]

interface Pattern {
  readonly re: RE2JS
  readonly names: GroupNames
}

function tryCompile(pattern: string): Pattern | RE2JSException {
  try {
    const re = RE2JS.compile(pattern)
    return { re, names: new Map(Object.entries(re.namedGroups()).map(([name, index]) => [name, [index]])) }
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error
    if (!error.message.includes('duplicate capture group name')) return error
    // Go lets several groups share a name.
    const { unnamed, names } = withoutNames(pattern)
    return { re: RE2JS.compile(unnamed), names }
  }
}

function compile(pattern: string): Pattern {
  const compiled = tryCompile(pattern)
  if (!(compiled instanceof RE2JSException)) return compiled
  const shown = canBackquote(pattern) ? `\`${pattern}\`` : quote(pattern)
  // Go names the part at fault even where there is none to name.
  const reason = compiled.message.endsWith('`') ? compiled.message : `${compiled.message}: \`\``
  throw new FunctionError(`regexp: Compile(${shown}): ${reason}`)
}

interface Span {
  readonly start: number
  readonly end: number
}

/** Matches from left to right that don't overlap; an empty one right behind another does not count. */
function findAll(pattern: RE2JS, text: string, count: bigint): readonly Span[] {
  const found: Span[] = []
  const matcher = pattern.matcher(text)
  let previousEnd = -1
  for (let at = 0; at <= text.length && (count < 0n || BigInt(found.length) < count);) {
    if (!matcher.find(at)) break
    const span = { start: matcher.start(), end: matcher.end() }
    const repeats = span.end === at && span.start === previousEnd
    at = span.end === at ? at + characterWidth(text, at) : span.end
    previousEnd = span.end
    if (!repeats) found.push(span)
  }
  return found
}

function replaceAll(pattern: string, text: string, by: (groups: MatchGroups) => string): string {
  const { re, names } = compile(pattern)
  const matcher = re.matcher(text)
  const parts: string[] = []
  let length = 0
  let copied = 0
  for (let at = 0; at <= text.length && matcher.find(at);) {
    const start = matcher.start()
    const end = matcher.end()
    parts.push(text.slice(copied, start))
    // Not again for an empty match right behind another one.
    if (end > copied || start === 0) {
      const replacement = by({ group: (index) => groupAt(matcher, index), names })
      length += replacement.length
      checkTextLength(length + text.length)
      parts.push(replacement)
    }
    copied = end
    at = Math.max(end, at + characterWidth(text, at))
  }
  return parts.join('') + text.slice(copied)
}

function groupAt(matcher: ReturnType<RE2JS['matcher']>, index: number): string | undefined {
  return index <= matcher.groupCount() ? (matcher.group(index) ?? undefined) : undefined
}

function split(source: string, pattern: RE2JS, text: string, count: bigint): GoSlice {
  if (count === 0n) return new GoSlice(stringSlice, undefined)
  if (source !== '' && text === '') return stringsOf([''])
  const parts: string[] = []
  let from = 0
  let end = 0
  for (const match of findAll(pattern, text, count)) {
    if (count > 0n && BigInt(parts.length) === count - 1n) break
    end = match.start
    if (match.end !== 0) parts.push(text.slice(from, end))
    from = match.end
  }
  if (end !== text.length) parts.push(text.slice(from))
  return stringsOf(parts)
}

function characterWidth(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1
}
