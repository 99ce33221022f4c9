import type { TemplatePlace } from '../template/template-uses.ts'
import { coverTags } from './template-tags.ts'

/**
 * A shell script with everything blanked that is no code of its own: templates, quoted texts, comments and here-documents. Every
 * other character stays where it is. This is a look at a script, no parser of the shell: it serves warnings only.
 */
export function maskScript(script: string): string {
  const text = coverTags(script, 'T')
  let masked = ''
  let at = 0
  let documentEnd: string | undefined
  while (at < text.length) {
    const token = nextToken(text, at, masked)
    if (token.documentEnd !== undefined) documentEnd = token.documentEnd
    masked += token.masked
    at += token.masked.length
    if (text[at - 1] !== '\n' || documentEnd === undefined) continue
    const length = documentLength(text.slice(at), documentEnd)
    masked += blank(text.slice(at, at + length))
    at += length
    documentEnd = undefined
  }
  return masked
}

interface Token {
  readonly masked: string
  /** The word that ends a here-document, which begins on the next line. */
  readonly documentEnd?: string
}

function nextToken(text: string, at: number, before: string): Token {
  const rest = text.slice(at)
  const character = rest[0] ?? ''
  if (character === '\\') return { masked: blank(rest.slice(0, 2)) }
  if (character === "'") return { masked: quoted(rest, /^'[^']*'?/) }
  if (character === '"') return { masked: quoted(rest, /^"(?:\\[\s\S]|[^"\\])*"?/) }
  if (character === '#' && /(^|[\s;&|(])$/.test(before)) return { masked: blank(/^[^\n]*/.exec(rest)?.[0] ?? '#') }
  const document = /^<<-?\s*(["']?)([A-Za-z_]\w*)\1/.exec(rest)
  if (document && !rest.startsWith('<<<')) return { masked: document[0], documentEnd: document[2] ?? '' }
  return { masked: character }
}

/** A quoted text counts as a word, so that it stays one. */
function quoted(rest: string, pattern: RegExp): string {
  return (pattern.exec(rest)?.[0] ?? rest[0] ?? '').replace(/[^\n]/g, 'Q')
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ')
}

function documentLength(text: string, end: string): number {
  const found = new RegExp(`^[ \\t]*${end}[ \\t]*$`, 'm').exec(text)
  return found ? found.index + found[0].length : text.length
}

/** The first `|` between two commands. */
export function findPipe(masked: string): TemplatePlace | undefined {
  for (const match of masked.matchAll(/\|\|?&?/g)) {
    const at = match.index
    if (match[0].startsWith('||') || masked[at - 1] === '>') continue
    const place = placeOf(masked, at)
    const line = masked.split('\n')[place.line - 1] ?? ''
    if (!isPattern(line, place.column - 1) && !isTest(line, place.column - 1)) return place
  }
  return undefined
}

/** `a|b)` of a case. */
function isPattern(line: string, column: number): boolean {
  const before = line.slice(0, column)
  const after = line.slice(column)
  return (
    /(^|;;|\bin)\s*\(?[^\s()|;]+(\s*\|\s*[^\s()|;]+)*\s*$/.test(before) &&
    /^\|\s*[^\s()|;]+(\s*\|\s*[^\s()|;]+)*\s*\)/.test(after)
  )
}

/** Alternatives of a regular expression in `[[ … ]]`. */
function isTest(line: string, column: number): boolean {
  return line.lastIndexOf('[[', column) > line.lastIndexOf(']]', column)
}

/** The first line behind an `exit` or `exec` that always happens. */
export function findUnreachable(masked: string): TemplatePlace | undefined {
  const lines = masked.split('\n')
  let depth = 0
  let hasEnded = false
  for (const [index, line] of lines.entries()) {
    const code = line.trim()
    if (code === '') continue
    if (hasEnded) return { line: index + 1, column: line.length - line.trimStart().length + 1 }
    depth += depthChange(code)
    const isContinued = /(\\|&&|\|\||\|)\s*$/.test(lines[index - 1] ?? '')
    hasEnded = depth === 0 && !isContinued && endsScript(code)
  }
  return undefined
}

function endsScript(code: string): boolean {
  return /^exit(\s+\S+)?;?$/.test(code) || (/^exec\s+[^\s<>0-9&-]/.test(code) && !/[\\|&;]/.test(code))
}

/** Rather too deep than not: a `)` alone may belong to a case. */
function depthChange(code: string): number {
  const opens = code.match(/(^|[;\s])(if|case|for|while|until|select)(?=\s)|\{/g)?.length ?? 0
  const closes = code.match(/(^|[;\s])(fi|esac|done)(?=$|[;\s)|&<>])|\}/g)?.length ?? 0
  const parentheses = (code.match(/\(/g)?.length ?? 0) - (code.match(/\)/g)?.length ?? 0)
  return opens - closes + Math.max(parentheses, 0)
}

function placeOf(text: string, at: number): TemplatePlace {
  const before = text.slice(0, at)
  return { line: before.split('\n').length, column: at - before.lastIndexOf('\n') }
}
