import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { functionReference } from '../../../../src/template/functions/reference.ts'
import { functionLibrary, functionTopics } from '../../../../src/template/functions/registry.ts'
import { TemplateRenderer } from '../../../../src/template/render.ts'

const withExamples = [...functionLibrary.values()].flatMap((fn) => (fn.example ? [[fn.name, ...fn.example] as const] : []))

test.each(withExamples)('the example of %s gives what it says', (_name, template, output) => {
  const renderer = new TemplateRenderer({ library: functionLibrary })
  const host = { now: () => 0n, randomBytes: (count: number) => new Uint8Array(count), env: new Map(), lookupHost: () => '' }

  expect(renderer.renderGo(template, { data: null, host })).toBe(output)
})

test('the library has the names that Kanister offers, and no others', async () => {
  await expect([...functionLibrary.keys()].toSorted().join(' ')).toMatchFileSnapshot('names.txt')
  expect(functionLibrary.size).toBe(150)
})

test('the reference page is fresh', async () => {
  const path = 'src/template/functions/README.md'
  const [head = ''] = readFileSync(path, 'utf8').split('### Defaults')

  await expect(head + functionReference(functionTopics)).toMatchFileSnapshot('../../../../src/template/functions/README.md')
})
