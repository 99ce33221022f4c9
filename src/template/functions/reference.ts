import type { TemplateFunction } from './define.ts'

/** The reference page of the library, in Markdown: a table for each topic. */
export function functionReference(
  topics: ReadonlyArray<readonly [topic: string, functions: readonly TemplateFunction[]]>,
): string {
  return topics
    .map(([topic, functions]) =>
      [`### ${topic}`, '', '| function | gives | example |', '| --- | --- | --- |', ...functions.map(row), ''].join('\n'),
    )
    .join('\n')
}

/** `trunc int string → string`, as Go's templates and Handlebars take the arguments. */
export function signatureOf(fn: TemplateFunction): string {
  const params = fn.params.map((type) => shortName(type.name))
  if (fn.variadic) params.push(`${shortName(fn.variadic.name)}…`)
  return [fn.name, ...params].join(' ')
}

function row(fn: TemplateFunction): string {
  const example = fn.example
    ? `${code(fn.example[0])} → ${code(JSON.stringify(fn.example[1]).slice(1, -1).replaceAll('\\"', '"'))}`
    : ''
  return `| ${code(signatureOf(fn))} | ${cell(fn.summary)} | ${example} |`
}

function shortName(type: string): string {
  return type.replaceAll('interface {}', 'any').replace('[]uint8', 'bytes')
}

/** Code in a cell of a table: a bar would end the cell. */
function code(text: string): string {
  const mark = text.includes('`') ? '``' : '`'
  return mark + text.replaceAll('|', '\\|').replaceAll('\n', '\\n') + mark
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
