import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { lintBlueprintText } from '../../../src/lint/lint.ts'
import { type Mutation, mutators, seededRandom } from './mutations.ts'

const root = resolve(import.meta.dirname, '../../..')
/** Published Blueprints that are not ours to keep here; looked at where they lie beside the checkout. */
const corpus = resolve(root, '../shared/corpus')

function blueprintsBelow(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => join(folder, name))
    .filter((file) => /^kind: *["']?Blueprint/m.test(readFileSync(file, 'utf8')))
}

const own = [...blueprintsBelow(join(root, 'test/golden/blueprints')), ...blueprintsBelow(join(root, 'blueprints'))]
const published = blueprintsBelow(corpus)

function errorsOf(file: string): string[] {
  return lintBlueprintText(readFileSync(file, 'utf8'))
    .filter((finding) => finding.severity === 'error')
    .map((finding) => `${finding.line}:${finding.column} ${finding.message}`)
}

test.each(own)('%s has no error', (file) => {
  expect(errorsOf(file)).toEqual([])
})

test.skipIf(published.length === 0)('no published Blueprint has an error', () => {
  const wrong = published.flatMap((file) => errorsOf(file).map((error) => `${file}: ${error}`))

  expect(wrong).toEqual([])
})

function mutationsOf(files: readonly string[], count: number, seed: number): Mutation[] {
  const random = seededRandom(seed)
  const kinds = Object.entries(mutators)
  const mutations: Mutation[] = []
  for (let round = 0; mutations.length < count && round < count * 20; round++) {
    const [kind, mutate] = kinds[round % kinds.length] as (typeof kinds)[number]
    const mutation = mutate(readFileSync(files[random(files.length)] as string, 'utf8'), random)
    if (mutation) mutations.push({ kind, ...mutation })
  }
  return mutations
}

function isFound(mutation: Mutation): boolean {
  return lintBlueprintText(mutation.text).some((finding) => finding.severity === 'error')
}

test.each([
  ['our own', own],
  ['all', [...own, ...published]],
])('of 200 mistakes put into %s Blueprints at least 95 %% are found as errors', (name, files) => {
  const mutations = mutationsOf(files, 200, 20_261_121)

  const missed = mutations.filter((mutation) => !isFound(mutation))

  const rate = ((mutations.length - missed.length) / mutations.length) * 100
  console.log(`mistakes in ${name} Blueprints: ${mutations.length}, found ${rate.toFixed(1)} %`)
  for (const { kind, what } of missed) console.log(`  missed: ${kind}: ${what}`)
  expect(mutations).toHaveLength(200)
  expect(rate).toBeGreaterThanOrEqual(95)
})
