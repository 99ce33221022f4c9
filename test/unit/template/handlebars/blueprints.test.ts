import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { functionLibrary } from '../../../../src/template/functions/registry.ts'
import { isFunction } from '../../../../src/template/handlebars/function-call.ts'
import { parseHandlebars } from '../../../../src/template/handlebars/parse.ts'
import { usesOf } from '../../../../src/template/handlebars/uses.ts'

test.each(globSync('blueprints/*/*.yaml'))('every text of %s parses and names functions that exist', (path) => {
  const texts = parseAllDocuments(readFileSync(path, 'utf8'))
    .map((document): unknown => document.toJS())
    .filter((blueprint) => (blueprint as { templateLanguage?: string } | null)?.templateLanguage === 'Handlebars')
    .flatMap(textsIn)

  const functions = texts.flatMap((text) => usesOf(parseHandlebars(text)).functions.map(({ name }) => name))

  expect(functions.filter((name) => !isFunction(name, { library: functionLibrary }))).toEqual([])
})

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}
