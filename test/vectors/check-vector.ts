import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { HoldfastError, messageOf } from '../../src/base/errors.ts'
import type { TemplateHost } from '../../src/template/functions/define.ts'
import { toBytes } from '../../src/template/go/byte-string.ts'
import { convertTo, fromJson } from '../../src/template/go/from-json.ts'
import type { GoValue } from '../../src/template/go/value.ts'
import { templateParamsType } from '../../src/template/context-types.ts'
import type { TemplateRenderer } from '../../src/template/render.ts'
import type { TemplateParams } from '../../src/template/variables.ts'
import type { Vector, VectorData, VectorFile } from './vector-file.ts'

/** Renders a vector and compares. Undefined when all is as expected, else what is not. */
export function checkVector(renderer: TemplateRenderer, file: VectorFile, vector: Vector): string | undefined {
  const { expect } = vector
  let got: unknown
  try {
    got = renderVector(renderer, file, vector)
  } catch (error) {
    return checkError(vector, error)
  }
  if (expect.error) return `expected ${expect.error.class} error "${expect.error.contains}", got ${show(got)}`
  if (expect.null) return got === undefined ? undefined : `expected null, got ${show(got)}`
  if (expect.value !== undefined) {
    return isDeepStrictEqual(plain(got), plain(expect.value)) ? undefined : `expected ${show(expect.value)}, got ${show(got)}`
  }
  if (typeof got === 'object') return checkWait(vector, got as { output: string; met: boolean })
  return checkText(vector, got as string)
}

/** Whatever the vectors may ask of the world: real time and randomness, and the environment of the tests. */
const host: TemplateHost = {
  now: () => BigInt(Date.now()) * 1_000_000n,
  randomBytes: (count) => randomBytes(count),
  env: new Map(Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]))),
  lookupHost: (name) => (name === 'localhost' ? '127.0.0.1' : ''),
}

function renderVector(renderer: TemplateRenderer, file: VectorFile, vector: Vector): unknown {
  const text = vector.template ?? ''
  const context = vector.context === undefined ? vector : file.contexts[vector.context]
  if (vector.mode === 'wait') return renderer.renderWaitCondition(text, file.objects[vector.object ?? ''], { host })
  if (vector.mode === 'waitv2') return renderer.renderWaitV2Condition(text, file.objects[vector.object ?? ''], { host })
  if (vector.mode === 'string') return renderer.renderGo(text, { data: goData(context), host })
  // Only the params of an action are rendered over in these modes.
  const params = (context?.data ?? {}) as TemplateParams
  if (vector.mode === 'args') return renderer.renderArgs(plain(vector.args) as never, params, { host })
  if (vector.mode === 'artifacts') return renderer.renderArtifacts(plain(vector.artifacts) as never, params, { host })
  return renderer.renderObjectRefs(plain(vector.objectRefs) as never, params, { host })
}

/** What a vector of mode `string` is rendered over. */
export function vectorData(file: VectorFile, vector: Vector): GoValue {
  return goData(vector.context === undefined ? vector : file.contexts[vector.context])
}

function goData(context: Partial<VectorData> | undefined): GoValue {
  if (context === undefined) return null
  if (context.types?.[''] === 'TemplateParams') return convertTo(templateParamsType, context.data)
  return fromJson(context.data, context.types ? { types: context.types } : {})
}

const classes: Readonly<Record<string, string>> = {
  TEMPLATE_PARSE: 'parse',
  TEMPLATE_UNKNOWN_VARIABLE: 'missingKey',
  TEMPLATE_EXEC: 'exec',
  TEMPLATE_JSONPATH: 'jsonpath',
}

function checkError({ expect }: Vector, error: unknown): string | undefined {
  const message = messageOf(error)
  if (!(error instanceof HoldfastError)) return `broke: ${error instanceof Error ? error.stack : message}`
  if (!expect.error) return `failed: ${message}`
  const got = classes[error.code] ?? error.code
  if (got !== expect.error.class) return `expected ${expect.error.class} error, got ${got}: ${message}`
  if (expect.error.loose || message.includes(expect.error.contains)) return undefined
  return `expected an error with "${expect.error.contains}", got "${message}"`
}

function checkWait({ expect }: Vector, got: { output: string; met: boolean }): string | undefined {
  if (expect.result !== undefined && got.met !== expect.result) return `expected result ${expect.result}, got ${got.met}`
  return expect.output === undefined || got.output === expect.output
    ? undefined
    : `expected ${show(expect.output)}, got ${show(got.output)}`
}

function checkText({ expect }: Vector, got: string): string | undefined {
  if (expect.outputBase64 !== undefined) {
    const bytes = Buffer.from(toBytes(got)).toString('base64')
    return bytes === expect.outputBase64 ? undefined : `expected bytes ${expect.outputBase64}, got ${bytes}`
  }
  if (expect.match !== undefined) {
    return goRegExp(expect.match).test(got) ? undefined : `expected a match of ${expect.match}, got ${show(got)}`
  }
  return got === expect.output ? undefined : `expected ${show(expect.output)}, got ${show(got)}`
}

/** The few forms of Go's syntax that JavaScript writes otherwise. */
function goRegExp(source: string): RegExp {
  const flags = /^\(\?([ims]+)\)/.exec(source)
  const body = (flags ? source.slice(flags[0].length) : source).replaceAll('\\A', '^').replaceAll('\\z', '$')
  return new RegExp(body, flags?.[1] ?? '')
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? Number(inner) : inner)))
}

function show(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? Number(inner) : inner))
}
