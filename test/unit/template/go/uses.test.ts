import { expect, test } from 'vitest'
import { parseTemplate } from '../../../../src/template/go/parser.ts'
import { usesOfGoTemplate } from '../../../../src/template/go/uses.ts'

function uses(source: string): ReturnType<typeof usesOfGoTemplate> {
  return usesOfGoTemplate(parseTemplate(source, { name: 'config', knowsFunction: () => true }))
}

function paths(source: string): string[] {
  return uses(source).paths.map(
    (path) => path.parts.join('.') + (path.isOptional ? '?' : '') + (path.isCondition ? ' (asked)' : ''),
  )
}

test('paths are made absolute through blocks, variables and definitions', () => {
  expect(paths('{{ with .Object.spec }}{{ .count }}{{ $.Time }}{{ end }}')).toEqual([
    'Object.spec (asked)',
    'Object.spec.count',
    'Time',
  ])
  expect(paths('{{ range $i, $p := .StatefulSet.Pods }}{{ $i }}{{ $p.x }}{{ .y }}{{ else }}{{ .Time }}{{ end }}')).toEqual([
    'StatefulSet.Pods',
    'StatefulSet.Pods.*.x',
    'StatefulSet.Pods.*.y',
    'Time',
  ])
  expect(paths('{{ $o := .Options }}{{ $o.x | upper }}{{ define "t" }}{{ .b }}{{ end }}{{ template "t" .Object }}')).toEqual([
    'Options',
    'Options.x',
    'Object',
    'Object.b',
  ])
})

test('index looks at a key that need not be there', () => {
  expect(paths('{{ index .Options "x" }}{{ (index .Phases "a-b").Output.k }}')).toEqual([
    'Options',
    'Options.x?',
    'Phases',
    'Phases.a-b?',
    'Phases.a-b.Output.k',
  ])
})

test('functions are listed with their arguments, piped ones too, and their place', () => {
  expect(uses('a\n{{ .x | trunc 5 | upper }}').functions).toMatchObject([
    { name: 'trunc', argumentCount: 2, place: { line: 2, column: 9 } },
    { name: 'upper', argumentCount: 1, place: { line: 2, column: 19 } },
  ])
})
