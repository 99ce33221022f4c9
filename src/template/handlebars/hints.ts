/** Says so where a text looks as if it had been written for Kanister's templates. */
export function hintForGoTemplate(expression: string): string {
  const inner = expression.replace(/^\{\{[-~]?\s*/, '')
  if (
    /^(end|range|define|template|block|break|continue)\b/.test(inner) ||
    /^if\s/.test(inner) ||
    /^else\s*-?\}\}/.test(inner)
  ) {
    return goTemplate('keywords without "#" and "/"')
  }
  if (/\$\w*\s*:?=/.test(inner) || inner.startsWith('$')) return goTemplate('variables with "$"')
  if (/(^|[\s(])\.[A-Za-z_]/.test(inner)) return goTemplate('names that begin with a dot')
  if (/^\{\{-\s|\s-\}\}$/.test(expression)) return goTemplate('"{{-" and "-}}", here "{{~" and "~}}"')
  if (/\s\|\s/.test(inner)) return '; a pipe is written as a call here: {{upper (trim name)}}'
  return ''
}

function goTemplate(what: string): string {
  return `; ${what} belong to Go templates: leave out templateLanguage: Handlebars, or write {{Options.x}}, {{upper Options.x}}, {{#if …}}…{{/if}}`
}
