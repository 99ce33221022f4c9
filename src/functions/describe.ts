import type { TProperties, TSchema } from '../schema/build.ts'
import type { Resume } from './define.ts'
import { type AnyFunction, phaseFunctions } from './registry.ts'
import { removedFunctions } from './removed.ts'

/** The reference of all phase functions as Markdown, made from their declarations. */
export function describeFunctions(functions: readonly AnyFunction[] = phaseFunctions): string {
  const parts = [intro, contents(functions), ...functions.map(page), removed()]
  return `${parts.join('\n\n')}\n`
}

const intro = `# Phase functions

Generated from \`src/functions\`; do not edit. Names are case-sensitive. Arguments are templates; a rendered text is read as what is wanted:
\`"3"\` where a number is, a lone text where a list is. \`null\` is absent. An argument that is not listed is refused before anything runs.`

function contents(functions: readonly AnyFunction[]): string {
  return functions.map(({ name, summary }) => `- [${name}](#${name.toLowerCase()}): ${summary}`).join('\n')
}

function page(fn: AnyFunction): string {
  const blocks = [
    `## ${fn.name}`,
    fn.summary,
    table(['argument', 'type', 'required', 'default', ''], argRows(fn)),
    outputs(fn),
    aliases(fn),
    notes(fn),
    `After a crash: ${afterCrash[fn.resume]}`,
  ]
  return blocks.filter((block) => block !== '').join('\n\n')
}

const afterCrash: Readonly<Record<Resume, string>> = {
  adopt: 'what still runs is followed, what has ended is read.',
  continue: 'it goes on with what was stored or noted before.',
  restart: 'it begins again.',
  refuse: 'the phase fails, since doing it twice could do damage; the deferred phase runs.',
}

type Shape = TSchema & {
  readonly type?: string
  readonly enum?: readonly string[]
  readonly description?: string
  readonly default?: unknown
  readonly items?: TSchema
}

function argRows(fn: AnyFunction): string[][] {
  const properties: TProperties = fn.args.properties
  const required = (fn.args as { readonly required?: readonly string[] }).required ?? []
  return Object.entries(properties).map(([name, schema]) => {
    const shape = schema as Shape
    const must = required.includes(name) && shape.default === undefined
    return [`\`${name}\``, typeOf(shape), must ? 'yes' : '', defaultOf(shape), shape.description ?? '']
  })
}

function typeOf(shape: Shape): string {
  if (shape.enum) return shape.enum.join(', ')
  if (shape.type === 'array') return `list of ${typeOf((shape.items ?? {}) as Shape)}`
  const words: Readonly<Record<string, string>> = { string: 'text', integer: 'number', boolean: 'flag', object: 'map' }
  return words[shape.type ?? ''] ?? 'any'
}

function defaultOf({ default: value }: Shape): string {
  if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) return ''
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``
}

function outputs(fn: AnyFunction): string {
  const rows = Object.entries(fn.outputs).map(([name, text]) => [`\`${name}\``, text])
  const markers = fn.reportsMarkers ? 'What the command prints with `kando output KEY VALUE` becomes outputs.' : ''
  if (rows.length === 0) return markers === '' ? 'No outputs.' : markers
  return [table(['output', ''], rows), markers].filter((block) => block !== '').join('\n\n')
}

function aliases(fn: AnyFunction): string {
  const given = Object.entries(fn.aliases ?? {})
  if (given.length === 0) return ''
  return `Also accepted: ${given.map(([alias, name]) => `\`${alias}\` for \`${name}\``).join(', ')}.`
}

function notes(fn: AnyFunction): string {
  const positional = fn.positional ? [`As a list of 2018: ${fn.positional.join(', ')}.`] : []
  return [...(fn.notes ?? []), ...positional].map((note) => `- ${note}`).join('\n')
}

function removed(): string {
  const rows = Object.entries(removedFunctions).map(([name, why]) => [`\`${name}\``, why])
  return `## Refused by name\n\n${table(['function', 'why, and what to do'], rows)}`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
