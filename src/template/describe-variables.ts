import { memberNames } from './context-paths.ts'
import { templateParamsType } from './context-types.ts'
import type { GoField, GoType } from './go/go-type.ts'
import { variableNotes } from './variable-notes.ts'

/** The reference of all variables as Markdown, made from the types that templates walk. */
export function describeVariables(): string {
  const fields = templateParamsType.fields ?? []
  const blocks = [intro, roots(fields), '## Their fields', ...structsBelow(templateParamsType).map(struct)]
  return `${blocks.join('\n\n')}\n`
}

const intro = `# Variables of templates

Generated from \`src/template/context-types.ts\` and \`variable-notes.ts\`; do not edit. Names are the same in both languages: \`{{ .StatefulSet.Name }}\`
in Go templates is \`{{StatefulSet.Name}}\` in Handlebars. At most one of StatefulSet, Deployment, DeploymentConfig, PVC and Namespace is set; asking
for a field of another is an error, asking whether it is set (\`{{ if .Deployment }}\`, \`{{#if Deployment}}\`) is not. A key that a map
does not have is an error. Keys with a dash or a dot: \`{{ index .Options "my-key" }}\`, \`{{Options.[my-key]}}\`.`

function roots(fields: readonly GoField[]): string {
  const rows = fields.map(({ name, type }) => {
    const { summary, when, example } = noteOf(name)
    return [code(name), typeText(type), `${summary} ${example === '' ? '' : code(example)}`.trim(), when]
  })
  return table(['variable', 'type', 'what', 'set when'], rows)
}

function noteOf(name: string): { summary: string; when: string; example: string } {
  const note = variableNotes[name]
  if (!note) throw new Error(`variable ${name} has no entry in variable-notes.ts`)
  return note
}

/** Every struct that a path can pass, each once, in the order of the fields. */
function structsBelow(type: GoType, found: GoType[] = []): readonly GoType[] {
  for (const field of type.fields ?? []) {
    const inner = innermost(field.type)
    if (inner.kind !== 'struct' || !inner.name.match(/^(param|v1alpha1|v1\.(Secret|ConfigMap))/)) continue
    if (found.some((known) => known.name === inner.name)) continue
    found.push(inner)
    structsBelow(inner, found)
  }
  return found
}

function innermost(type: GoType): GoType {
  return type.kind !== 'struct' && type.elem && type.name !== '[]uint8' ? innermost(type.elem) : type
}

function struct(type: GoType): string {
  const own = (type.fields ?? []).filter((field) => !field.embedded)
  const embedded = (type.fields ?? []).filter((field) => field.embedded && field.name === 'ObjectMeta')
  const meta = embedded.flatMap((field) => memberNames(field.type)).map(code)
  const rows = own.map(({ name, type: of }) => [code(name), typeText(of)])
  const more = meta.length > 0 ? `\n\nAnd of its metadata: ${meta.join(', ')}.` : ''
  return `### ${shortName(type.name)}\n\n${table(['field', 'type'], rows)}${more}`
}

function typeText(type: GoType): string {
  if (type.kind === 'ptr' && type.elem) return typeText(type.elem)
  if (type.name === '[]uint8') return 'bytes'
  if (type.kind === 'slice' && type.elem) return `list of ${typeText(type.elem)}`
  if (type.kind === 'map' && type.elem) return `map of ${typeText(type.elem)}`
  if (type.kind === 'struct') return `[${shortName(type.name)}](#${shortName(type.name).toLowerCase()})`
  return words[type.kind] ?? type.kind
}

const words: Readonly<Record<string, string>> = { string: 'text', bool: 'true or false', interface: 'anything', int: 'number' }

function shortName(name: string): string {
  return name.split('.').at(-1) ?? name
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function code(text: string): string {
  return `\`${text}\``
}
