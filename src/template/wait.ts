import { HoldfastError } from '../base/errors.ts'
import { templateError } from './errors.ts'
import { defineTemplateFunction, FunctionError, type FunctionLibrary, type TemplateFunction } from './functions/define.ts'
import { fromBytes, toBytes } from './go/byte-string.ts'
import type { MissingKey } from './go/execution.ts'
import { fromKubernetesObject } from './go/from-json.ts'
import { any, bool, string } from './go/go-type.ts'
import { GoMap, GoSlice, type GoValue, integerIn, textIn } from './go/value.ts'
import { JsonPathError, printJsonPath } from './jsonpath/evaluate.ts'
import { JsonPathSyntaxError, parseJsonPath } from './jsonpath/parser.ts'

export interface WaitResult {
  readonly output: string
  /** The output, trimmed, is `true`. */
  readonly met: boolean
}

/** The two languages of conditions, by the functions that take them. */
export type ConditionLanguage = 'Wait' | 'WaitV2'

/** How a condition's template is rendered; the renderer gives it. */
export type RenderCondition = (
  text: string,
  rendering: { data: GoValue; name?: string; missingKey: MissingKey; library?: FunctionLibrary },
) => string

/** See TemplateRenderer.renderWaitCondition. */
export function renderWaitCondition(condition: string, object: unknown, render: RenderCondition): WaitResult {
  const text = resolvePaths(condition, fromKubernetesObject(object))
  return resultOf(render(text, { data: null, missingKey: 'zero' }))
}

/** See TemplateRenderer.renderWaitV2Condition. */
export function renderWaitV2Condition(condition: string, object: unknown, render: RenderCondition): WaitResult {
  try {
    const rendering = {
      data: fromKubernetesObject(object),
      name: 'output',
      missingKey: 'default',
      library: kubectlFunctions,
    } as const
    return resultOf(render(condition, rendering))
  } catch (error) {
    // To Kanister a condition that does not parse is one that is not met.
    if (error instanceof HoldfastError && templateError.is(error, 'TEMPLATE_PARSE')) return { output: '', met: false }
    throw error
  }
}

/** How a template is parsed without being rendered; the renderer gives it. */
export type ParseCondition = (text: string, parsing: { name?: string; library?: FunctionLibrary }) => void

/** See TemplateRenderer.checkCondition. */
export function checkCondition(language: ConditionLanguage, condition: string, parse: ParseCondition): void {
  if (language === 'WaitV2') return parse(condition, { name: 'output', library: kubectlFunctions })
  for (const [, path = ''] of condition.matchAll(pathPattern)) checkPath(path)
  // Its paths are still in it, as when Kanister renders all arguments of a phase first: outside of quotes they do not parse.
  parse(condition, {})
}

function checkPath(path: string): void {
  try {
    parseJsonPath(`{${path.trim()}}`)
  } catch (error) {
    if (!(error instanceof JsonPathSyntaxError)) throw error
    const text = `JSONPath {$${path}} in a condition of Wait cannot be read: ${error.message}; variables of templates cannot be used there`
    throw templateError('TEMPLATE_PARSE', text, { cause: error })
  }
}

function resultOf(output: string): WaitResult {
  return { output, met: output.trim() === 'true' }
}

/** What stands for a path of the object: `{`, blanks, `$` and all up to the next `}`. */
const pathPattern = /\{\s*\$([^}]*)/g

/** Puts for each `{ $.path }` what the path finds. A path that does not parse gives the empty text. */
function resolvePaths(condition: string, object: GoValue): string {
  let text = condition
  for (const [found, path = ''] of condition.matchAll(pathPattern)) {
    // A function, since a plain replacement would take `$` in the value for a command.
    const value = resolvePath(path, object)
    text = text.replaceAll(`${found}}`, () => value)
  }
  return text
}

function resolvePath(path: string, object: GoValue): string {
  const expression = `{${path.trim()}}`
  try {
    return printJsonPath(parseJsonPath(expression), object)
  } catch (error) {
    if (error instanceof JsonPathSyntaxError) return ''
    if (!(error instanceof JsonPathError)) throw error
    // Kanister prints the whole object here, Secrets too.
    const text = `error executing jsonpath ${JSON.stringify(expression)}: Error executing template: ${error.message}`
    throw templateError('TEMPLATE_JSONPATH', text, { cause: error })
  }
}

const base64decode = defineTemplateFunction({
  name: 'base64decode',
  summary: 'The text of a base64 text.',
  params: [string],
  result: string,
  call: (_host, encoded) => {
    const plain = encoded.replace(/[\r\n]/g, '')
    const bad = /[^A-Za-z0-9+/]/.exec(plain.replace(/={0,2}$/, ''))
    const at = bad ? bad.index : plain.length % 4 === 0 ? -1 : plain.length
    if (at >= 0) throw new FunctionError(`base64 decode failed: illegal base64 data at input byte ${at}`)
    return fromBytes(Buffer.from(plain, 'base64'))
  },
})

const exists = defineTemplateFunction({
  name: 'exists',
  summary: 'Whether `index` with the same arguments would find something.',
  params: [any],
  variadic: any,
  result: bool,
  call: (_host, item, ...indexes) => {
    let current: GoValue = item
    for (const index of indexes) {
      const next = childOf(current, index)
      if (next === undefined) return false
      current = next
    }
    return current !== null
  },
})

function childOf(item: GoValue, index: GoValue): GoValue | undefined {
  if (item instanceof GoMap) {
    const key = textIn(index)
    return key === undefined ? undefined : item.entries.get(key)
  }
  const at = integerIn(index)
  if (at === undefined || at < 0n) return undefined
  if (item instanceof GoSlice) return item.items[Number(at)]
  const text = textIn(item)
  return text === undefined ? undefined : toBytes(text)[Number(at)] === undefined ? undefined : at
}

/** Beside the built-ins, kubectl's go-template output knows these two. */
export const kubectlFunctions: FunctionLibrary = new Map<string, TemplateFunction>([
  [base64decode.name, base64decode],
  [exists.name, exists],
])
