import type { LintFinding } from '../../../lint/finding.ts'

/** Columns of a source line that are shown around the mark. */
const shownWidth = 140

/** A finding for people: file, line and column, what is wrong, the source line and a mark under the place. */
export function markedFinding(finding: LintFinding, file: string): string {
  const { severity, code, message, where, line, column, source } = finding
  const place = line === undefined ? file : `${file}:${line}:${column ?? 1}`
  const head = `${place}: ${severity}: ${message} [${code}]`
  const rows = where === '' ? [head] : [head, `  in ${where}`]
  if (line === undefined || source === undefined || source.trim() === '') return rows.join('\n')
  const from = Math.max(0, (column ?? 1) - shownWidth + 40)
  const shown = source.slice(from, from + shownWidth).replaceAll('\t', ' ')
  const gutter = String(line).padStart(5)
  const mark = `${' '.repeat(gutter.length)} | ${' '.repeat(Math.max(0, (column ?? 1) - 1 - from))}^`
  return [...rows, `${gutter} | ${shown}`, mark].join('\n')
}
