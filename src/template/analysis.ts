import { HoldfastError } from '../base/errors.ts'
import { misfit } from './argument-types.ts'
import { builtins } from './go/builtins.ts'
import { wrongCount } from './go/call.ts'
import { deadBranches } from './go/dead-branches.ts'
import { parseTemplate } from './go/parser.ts'
import { usesOfGoTemplate } from './go/uses.ts'
import { templateError } from './errors.ts'
import type { FunctionLibrary } from './functions/define.ts'
import { hintForGoTemplate } from './handlebars/hints.ts'
import { parseHandlebars } from './handlebars/parse.ts'
import { specialForms } from './handlebars/special-forms.ts'
import type { HandlebarsNode } from './handlebars/tree.ts'
import { usesOf } from './handlebars/uses.ts'
import { templateParamsType } from './context-types.ts'
import { nearestNames } from './nearest.ts'
import type { TemplateDialect } from './render.ts'
import type { TemplatePlace, TemplateUses, UsedFunction } from './template-uses.ts'

/** Something that makes a template fail whatever it is rendered over. */
export interface TemplateFault {
  readonly message: string
  readonly place: TemplatePlace
}

export interface TemplateAnalysis {
  /** Undefined for a text that does not parse. */
  readonly uses?: TemplateUses
  readonly faults: readonly TemplateFault[]
  /** Places of conditions that are always the same, and of what is never reached. */
  readonly dead?: readonly TemplatePlace[]
}

/** What a template asks for, and what is wrong with it in itself: syntax, unknown functions, wrong numbers of arguments. */
export function analyseTemplate(source: string, dialect: TemplateDialect, library: FunctionLibrary): TemplateAnalysis {
  if (!source.includes('{{')) return { uses: { paths: [], functions: [] }, faults: [] }
  try {
    return dialect === 'Handlebars' ? analyseHandlebars(source, library) : analyseGo(source, library)
  } catch (error) {
    if (!(error instanceof HoldfastError) || !templateError.is(error)) throw error
    return { faults: [faultOfParser(source, error)] }
  }
}

function analyseHandlebars(source: string, library: FunctionLibrary): TemplateAnalysis {
  const tree = parseHandlebars(source)
  const uses = usesOf(tree)
  const unknown = (uses.unknownData ?? []).map(({ name, known, place }) => ({
    message: `there is no "@${name}" here; there is ${known.map((each) => `@${each}`).join(', ')}`,
    place,
  }))
  const faults = [...unknown, ...faultsOfCalls(uses, source, 'Handlebars', library)]
  return { uses, faults, dead: decidedConditions(tree.body) }
}

function analyseGo(source: string, library: FunctionLibrary): TemplateAnalysis {
  const template = parseTemplate(source, { knowsFunction: () => true })
  const uses = usesOfGoTemplate(template)
  const faults = faultsOfCalls(uses, source, 'GoTemplate', library)
  if (faults.length === 0) checkUncalled(source, library)
  return { uses, faults, dead: deadBranches(template).map((at) => placeAt(source, at)) }
}

function faultsOfCalls(
  uses: TemplateUses,
  source: string,
  dialect: TemplateDialect,
  library: FunctionLibrary,
): TemplateFault[] {
  return uses.functions.flatMap((used) => faultsOfCall(used, source, dialect, library))
}

function decidedConditions(nodes: readonly HandlebarsNode[]): readonly TemplatePlace[] {
  return nodes.flatMap((node) => {
    if (node.kind === 'text' || node.kind === 'output') return []
    const own = node.kind === 'condition' && node.subject.kind === 'literal' ? [node.place] : []
    return [...own, ...decidedConditions(node.body), ...decidedConditions(node.otherwise)]
  })
}

function placeAt(source: string, at: number): TemplatePlace {
  const before = source.slice(0, at)
  return { line: before.split('\n').length, column: at - before.lastIndexOf('\n') }
}

/** A definition that nothing calls is in no list of uses, and yet its functions must exist. */
function checkUncalled(source: string, library: FunctionLibrary): void {
  parseTemplate(source, { knowsFunction: (name) => library.has(name) || builtins.has(name) })
}

function faultsOfCall(used: UsedFunction, source: string, dialect: TemplateDialect, library: FunctionLibrary): TemplateFault[] {
  const { name, argumentCount, place } = used
  if (dialect === 'Handlebars' && specialForms.has(name)) return []
  const fn = library.get(name) ?? builtins.get(name)
  if (!fn) return [{ message: unknownFunction(name, source, place, dialect, library), place }]
  const wrong = wrongCount(fn, name, argumentCount) ?? misfit(used, fn)
  return wrong === undefined ? [] : [{ message: wrong, place }]
}

function unknownFunction(
  name: string,
  source: string,
  place: TemplatePlace,
  dialect: TemplateDialect,
  library: FunctionLibrary,
): string {
  const said = `there is no template function "${name}"`
  if (dialect === 'Handlebars') {
    const hint = hintForGoTemplate(tagAt(source, place))
    return said + (hint || meant(name, [...library.keys(), ...builtins.keys(), ...specialForms.keys()]))
  }
  const roots = (templateParamsType.fields ?? []).map((field) => field.name)
  const [root] = nearestNames(name, roots, 1)
  if (root) return `${said}; the variable is written .${root}`
  return said + meant(name, [...library.keys(), ...builtins.keys()])
}

function meant(name: string, names: readonly string[]): string {
  const near = nearestNames(name, names, 2)
  return near.length === 0 ? '' : `; did you mean ${near.join(' or ')}?`
}

function tagAt(source: string, place: TemplatePlace): string {
  const line = source.split('\n')[place.line - 1] ?? ''
  const start = Math.max(0, line.lastIndexOf('{{', place.column))
  const end = line.indexOf('}}', place.column)
  return line.slice(start, end < 0 ? undefined : end + 2)
}

/** Go names the line only; the first tag of it is where to look. */
function faultOfParser(source: string, error: HoldfastError): TemplateFault {
  const line = Number(error.details['line'] ?? /^template: \w+:(\d+)/.exec(error.message)?.[1] ?? 1)
  const text = source.split('\n')[line - 1] ?? ''
  const tag = Math.max(text.indexOf('{{'), 0)
  const [first = ''] = error.message.split('\n')
  const message = first.replace(/^template: \w+:\d+(:\d+)?: /, '').replace(/^template line \d+, column \d+: /, '')
  return { message, place: { line, column: Number(error.details['column'] ?? tag + 1) } }
}
