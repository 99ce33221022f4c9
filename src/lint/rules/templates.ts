import type { Draft } from '../finding.ts'
import type { LintRule } from '../rule.ts'
import { coverTags } from '../template-tags.ts'
import { spotIn } from '../template-texts.ts'

/** Templates parse, and the functions they call exist and get as many arguments as they take. */
export const checkTemplates: LintRule = (_facts, templates) =>
  templates.flatMap((template): readonly Draft[] => {
    const faults = template.analysis.faults.map(({ message, place }): Draft => {
      return { severity: 'error', code: 'LINT_TEMPLATE', message, path: template.path, spot: spotIn(template, place) }
    })
    const dead = (template.analysis.dead ?? []).map((place): Draft => {
      const message = 'this is always the same, or never reached: a part of the template has no effect'
      return { severity: 'warning', code: 'LINT_UNREACHABLE', message, path: template.path, spot: spotIn(template, place) }
    })
    if (faults.length > 0) return [...faults, ...dead]
    return [...dead, ...looseBraces(template.text).map((draft) => ({ ...draft, path: template.path }))]
  })

/** `}}` outside of any tag is plain text, and most likely the end of a tag that lost its beginning. */
function looseBraces(text: string): readonly Omit<Draft, 'path'>[] {
  const rest = coverTags(text, ' ')
  const at = rest.indexOf('}}')
  if (at < 0) return []
  const before = rest.slice(0, at)
  const place = { line: before.split('\n').length, column: at - before.lastIndexOf('\n') }
  // JSON and shell have such braces too, with their own beginnings.
  const opens = before.split('{').length
  const closes = before.split('}').length
  if (opens - closes >= 2) return []
  const message = '"}}" without a "{{" before it is plain text'
  return [{ severity: 'error', code: 'LINT_TEMPLATE', message, spot: place }]
}
