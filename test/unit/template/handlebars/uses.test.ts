import { expect, test } from 'vitest'
import { parseHandlebars } from '../../../../src/template/handlebars/parse.ts'
import { pathsUsed, usesOf } from '../../../../src/template/handlebars/uses.ts'

function paths(template: string): string[] {
  return pathsUsed(parseHandlebars(template)).map((path) => path.parts.join('.') + (path.isOptional ? '?' : ''))
}

test('paths are made absolute through blocks, parameters and ../', () => {
  expect(paths('{{#with Object.spec}}{{count}}{{../Time}}{{@root.Options.x}}{{/with}}')).toEqual([
    'Object.spec',
    'Object.spec.count',
    'Time',
    'Options.x',
  ])
  expect(paths('{{#each StatefulSet.Pods as |pod at|}}{{pod}}{{at}}{{this}}{{@index}}{{/each}}')).toEqual([
    'StatefulSet.Pods',
    'StatefulSet.Pods.*',
    'StatefulSet.Pods.*',
  ])
})

test('what may be absent is marked', () => {
  expect(paths('{{default 1 (optional Options.a)}}{{has Options "b"}}{{lookup Phases "c-d"}}')).toEqual([
    'Options.a?',
    'Options',
    'Options.b?',
    'Phases',
    'Phases.c-d',
  ])
})

test('functions are listed with their place', () => {
  expect(usesOf(parseHandlebars('{{upper (trim Options.x)}}')).functions).toEqual([
    { name: 'upper', argumentCount: 1, place: { line: 1, column: 3 } },
    { name: 'trim', argumentCount: 1, place: { line: 1, column: 10 } },
  ])
})
