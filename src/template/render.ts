import { HoldfastError } from '../base/errors.ts'
import { templateError } from './errors.ts'
import { emptyHost, type FunctionLibrary, type TemplateHost } from './functions/define.ts'
import { builtins } from './go/builtins.ts'
import { executeTemplate } from './go/evaluator.ts'
import { defaultLimits, type MissingKey, type TemplateLimits } from './go/execution.ts'
import { type ParsedTemplate, parseTemplate } from './go/parser.ts'
import type { GoValue } from './go/value.ts'
import { TemplateCache } from './template-cache.ts'
import { type ArtifactParams, type TemplateParams, toGoParams } from './variables.ts'
import { checkCondition, type ConditionLanguage, renderWaitCondition, renderWaitV2Condition, type WaitResult } from './wait.ts'

export type TemplateDialect = 'GoTemplate' | 'Handlebars'

export interface RenderOptions {
  /** @default 'GoTemplate' */
  readonly dialect?: TemplateDialect
  /** Time, randomness and environment of this rendering. @default a host that knows nothing */
  readonly host?: TemplateHost
}

/** A template over any Go value, in Go's dialect: what the modes of rendering are made of. */
export interface GoRendering {
  readonly data: GoValue
  /** Name in messages. @default 'config' */
  readonly name?: string
  /** @default 'error' */
  readonly missingKey?: MissingKey
  /** @default the renderer's library */
  readonly library?: FunctionLibrary
  readonly host?: TemplateHost
}

/** Renders another dialect; given to the renderer by name. */
export interface DialectRenderer {
  render(text: string, data: GoValue, options: { library: FunctionLibrary; host: TemplateHost; limits: TemplateLimits }): string
}

export interface RendererOptions {
  readonly library: FunctionLibrary
  /** @default defaultLimits */
  readonly limits?: TemplateLimits
  readonly handlebars?: DialectRenderer
}

/** A reference to an object in a Blueprint; every text in it is a template. */
export type ObjectRef = Readonly<Record<string, string | undefined>>

/** JSON as it stands in a Blueprint or comes out of it. */
export type Arg = null | undefined | string | number | boolean | readonly Arg[] | { readonly [key: string]: Arg }

/**
 * Renders the texts of Blueprints. Holds the function library and the parsed templates, by content. Throws TEMPLATE_*; a
 * template that fails half way gives nothing.
 */
export class TemplateRenderer {
  readonly #library: FunctionLibrary
  readonly #limits: TemplateLimits
  readonly #handlebars: DialectRenderer | undefined
  /** By the name in messages, of which there are few, then by content. */
  readonly #parsed = new Map<string, TemplateCache<ParsedTemplate>>()

  constructor(options: RendererOptions) {
    this.#library = options.library
    this.#limits = options.limits ?? defaultLimits
    this.#handlebars = options.handlebars
  }

  /** One text over the params of an action. */
  renderString(text: string, params: TemplateParams, options: RenderOptions = {}): string {
    return this.#renderOver(toGoParams(params), options)(text)
  }

  /** A map of arguments: every text in it, and the keys of nested maps; names of arguments are not templates. */
  renderArgs(args: Readonly<Record<string, Arg>>, params: TemplateParams, options: RenderOptions = {}): Record<string, Arg> {
    const render = this.#renderOver(toGoParams(params), options)
    const entries = Object.entries(args).filter(([, value]) => value !== null && value !== undefined)
    return Object.fromEntries(entries.map(([name, value]) => [name, renderArg(value, name, render)]))
  }

  /** Output artifacts: values of keyValue and a kopiaSnapshot that is not empty. */
  renderArtifacts(
    artifacts: Readonly<Record<string, ArtifactParams>>,
    params: TemplateParams,
    options: RenderOptions = {},
  ): Record<string, ArtifactParams> {
    const render = this.#renderOver(toGoParams(params), options)
    return Object.fromEntries(
      Object.entries(artifacts).map(([name, artifact]) => [
        name,
        renderArtifact(artifact, `output artifact "${name}"`, render),
      ]),
    )
  }

  /** References of a phase to objects. Undefined for params without a Time: those are not of an action. */
  renderObjectRefs(
    refs: Readonly<Record<string, ObjectRef>>,
    params: TemplateParams,
    options: RenderOptions = {},
  ): Record<string, ObjectRef> | undefined {
    if (!params.Time) return undefined
    const render = this.#renderOver(toGoParams(params), options)
    return Object.fromEntries(
      Object.entries(refs).map(([name, ref]) => [
        name,
        located(`could not render object reference {${name}}`, () => mapTexts(ref, render)),
      ]),
    )
  }

  /** A condition of Wait over an object of the API server: JSONPaths in it first, then a template without data. */
  renderWaitCondition(condition: string, object: unknown, options: RenderOptions = {}): WaitResult {
    return renderWaitCondition(condition, object, (text, rendering) =>
      this.renderGo(text, { ...hostOf(options), ...rendering }),
    )
  }

  /** A condition of WaitV2: a template over the object as kubectl's go-template output has it. */
  renderWaitV2Condition(condition: string, object: unknown, options: RenderOptions = {}): WaitResult {
    return renderWaitV2Condition(condition, object, (text, rendering) =>
      this.renderGo(text, { ...hostOf(options), ...rendering }),
    )
  }

  /** Throws TEMPLATE_PARSE for a condition that is not well formed, which to Kanister is one that is not met, for ever. */
  checkCondition(language: ConditionLanguage, condition: string): void {
    checkCondition(language, condition, (text, parsing) => void this.#parse(text, parsing))
  }

  /** A Go template over any value. */
  renderGo(text: string, rendering: GoRendering): string {
    const { library = this.#library, missingKey = 'error', host = emptyHost } = rendering
    const parsed = this.#parse(text, rendering)
    return executeTemplate(parsed, rendering.data, { library, host, missingKey, limits: this.#limits })
  }

  #parse(text: string, { name = 'config', library = this.#library }: Pick<GoRendering, 'name' | 'library'>): ParsedTemplate {
    let cache = this.#parsed.get(name)
    if (!cache) this.#parsed.set(name, (cache = new TemplateCache()))
    return cache.get(text, () => parseTemplate(text, { name, knowsFunction: (fn) => library.has(fn) || builtins.has(fn) }))
  }

  #renderOver(data: GoValue, options: RenderOptions): (text: string) => string {
    const { dialect = 'GoTemplate', host = emptyHost } = options
    if (dialect === 'GoTemplate') return (text) => this.renderGo(text, { data, host })
    const handlebars = this.#handlebars
    if (!handlebars) throw templateError('TEMPLATE_PARSE', `templateLanguage ${dialect} is not offered here; use GoTemplate`)
    return (text) => handlebars.render(text, data, { library: this.#library, limits: this.#limits, host })
  }
}

function hostOf({ host }: RenderOptions): { host?: TemplateHost } {
  return host ? { host } : {}
}

/** `path` says in messages which argument it is. A null inside of a map is as if it were not there. */
function renderArg(arg: Arg, path: string, render: (text: string) => string): Arg {
  if (typeof arg === 'string') return located(`argument "${path}"`, () => render(arg))
  if (Array.isArray(arg)) return arg.map((item: Arg, at) => renderArg(item, `${path}[${at}]`, render))
  if (arg === null || typeof arg !== 'object') return arg
  const entries = Object.entries(arg).filter(([, value]) => value !== null && value !== undefined)
  return Object.fromEntries(
    entries.map(([key, value]) => [
      located(`key of argument "${path}"`, () => render(key)),
      renderArg(value as Arg, `${path}.${key}`, render),
    ]),
  )
}

function renderArtifact(artifact: ArtifactParams, where: string, render: (text: string) => string): ArtifactParams {
  const { keyValue, kopiaSnapshot } = artifact
  const hasPairs = keyValue !== undefined && Object.keys(keyValue).length > 0
  return located(where, () => ({
    ...(hasPairs ? { keyValue: mapTexts(keyValue, render) as Readonly<Record<string, string>> } : {}),
    ...(kopiaSnapshot ? { kopiaSnapshot: render(kopiaSnapshot) } : {}),
  }))
}

function mapTexts(texts: ObjectRef, render: (text: string) => string): ObjectRef {
  return Object.fromEntries(
    Object.entries(texts).map(([key, value]) => [key, typeof value === 'string' ? render(value) : value]),
  )
}

/** Says in the message what was being rendered. */
function located<T>(where: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof HoldfastError) || !templateError.is(error)) throw error
    // `is` has found the code in the table.
    const code = error.code as keyof typeof templateError.table
    throw templateError(code, `${where}: ${error.message}`, { cause: error.cause, details: error.details })
  }
}
