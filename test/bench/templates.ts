import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { emptyHost, type TemplateHost } from '../../src/template/functions/define.ts'
import { functionLibrary } from '../../src/template/functions/registry.ts'
import type { GoValue } from '../../src/template/go/value.ts'
import { TemplateRenderer } from '../../src/template/render.ts'
import { vectorData } from '../vectors/check-vector.ts'
import { readVectorFile, type Vector } from '../vectors/vector-file.ts'

/**
 * How fast the expressions of Blueprints render: `npm run bench:templates -- [FOLDER]`. FOLDER has vectors of the format of
 * `test/vectors`; those of the families `corpus-…` count, or all where there are none. Without it: the golden vectors of this repository.
 * What is measured is the rendering of a text that was met before, by the renderer that the engine uses. Prints one line of JSON.
 */
const root = resolve(import.meta.dirname, '../..')
const seconds = 5

const folder = process.argv[2]
const files = folder === undefined ? [join(root, 'test/golden/templates/kanister-vectors.json')] : vectorFiles(folder)
const renderer = new TemplateRenderer({ library: functionLibrary })
const host: TemplateHost = { ...emptyHost, now: () => 1_700_000_000_000_000_000n }
const expressions = files.flatMap(expressionsOf)
if (expressions.length === 0) throw new Error(`no vectors of mode "string" that give an output in ${files.join(', ')}`)

/** The whole corpus once. */
function pass(): number {
  let length = 0
  for (const { text, data } of expressions) length += renderer.renderGo(text, { data, host }).length
  return length
}

for (const start = performance.now(); performance.now() - start < 2_000;) pass()
const times: number[] = []
for (const start = performance.now(); performance.now() - start < seconds * 1_000;) {
  const before = performance.now()
  pass()
  times.push(performance.now() - before)
}
times.sort((a, b) => a - b)
const medianMs = times[times.length >> 1] ?? Number.NaN
console.log(
  JSON.stringify({
    expressions: expressions.length,
    rendersPerSecond: Math.round((expressions.length / medianMs) * 1_000),
    passesPerSecond: Math.round(1_000 / medianMs),
    medianPassMs: Number(medianMs.toFixed(3)),
    // The best pass: what others do on the machine meanwhile can only make one longer.
    bestPassesPerSecond: Math.round(1_000 / (times[0] ?? Number.NaN)),
  }),
)

function vectorFiles(path: string): string[] {
  if (!existsSync(path)) throw new Error(`${path} does not exist`)
  return readdirSync(path)
    .filter((name) => name.endsWith('vectors.json'))
    .map((name) => join(path, name))
}

interface Expression {
  readonly text: string
  readonly data: GoValue
}

/** Each text once, over data that were made before the watch starts: the engine makes them once for all arguments of a phase. */
function expressionsOf(path: string): Expression[] {
  const file = readVectorFile(path)
  const rendered = file.vectors.filter(({ mode, template, expect }) => mode === 'string' && template && !expect.error)
  const corpus = rendered.filter(({ family }) => family.startsWith('corpus-'))
  const chosen = corpus.length > 0 ? corpus : rendered
  const once = new Map<string, Vector>(chosen.map((vector) => [vector.template ?? '', vector]))
  return [...once.values()].map((vector) => ({ text: vector.template ?? '', data: vectorData(file, vector) }))
}
