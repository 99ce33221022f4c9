import { fc } from '../../../build/properties.ts'
import { expect, test } from 'vitest'
import { functionLibrary } from '../../../../src/template/functions/registry.ts'
import { HandlebarsRenderer } from '../../../../src/template/handlebars/renderer.ts'
import { TemplateRenderer } from '../../../../src/template/render.ts'
import type { TemplateParams } from '../../../../src/template/variables.ts'

/** An expression written in both dialects. */
interface Both {
  readonly go: string
  readonly handlebars: string
}

const params: TemplateParams = {
  StatefulSet: { Name: 'pg', Namespace: 'db', Pods: ['pg-0', 'pg-1'] },
  Options: { mode: 'Fast Mode', count: '12' },
  Object: { spec: { count: 3, ratio: 2.5, flag: true, list: ['b', 'a', 'b'], map: { k: 1 } } },
}

const paths = [
  'StatefulSet.Name',
  'Options.mode',
  'Options.count',
  'Object.spec.count',
  'Object.spec.ratio',
  'Object.spec.flag',
]
const texts = paths.slice(0, 3)
const lists = ['StatefulSet.Pods', 'Object.spec.list']

const path = (names: readonly string[]): fc.Arbitrary<Both> =>
  fc.constantFrom(...names).map((name) => ({ go: `.${name}`, handlebars: name }))
const literal: fc.Arbitrary<Both> = fc
  .oneof(fc.integer().map(String), fc.constantFrom('1.5', '-0.25', '100.0', '"x"', '"a b"', 'true'))
  .map((text) => ({ go: text, handlebars: text }))

const { expression } = fc.letrec<{ expression: Both; text: Both; number: Both }>((tie) => ({
  text: fc.oneof(
    { maxDepth: 3 },
    path(texts),
    call(['upper', 'trim', 'b64enc', 'sha1sum', 'snakecase', 'title'], [tie('text')]),
    call(['cat', 'print'], [tie('number'), tie('text')]),
  ),
  number: fc.oneof(
    { maxDepth: 3 },
    path(['Object.spec.count', 'Object.spec.ratio', 'Options.count']),
    literal,
    call(['add', 'mul', 'sub', 'max'], [tie('number'), tie('number')]),
    call(['float64', 'int', 'ceil', 'floor'], [tie('number')]),
  ),
  expression: fc.oneof(
    tie('text'),
    tie('number'),
    path(paths),
    call(['toJson', 'join "-"', 'sortAlpha', 'first', 'len', 'typeOf', 'kindOf', 'quote'], [path(lists)]),
    call(['toJson', 'typeOf', 'quote', 'squote', 'printf "%v %T"', 'empty', 'not'], [tie('number')]),
    call(['eq', 'ne', 'lt', 'ge', 'ternary "a"', 'default'], [tie('number'), tie('number')]),
  ),
}))

function call(names: readonly string[], args: readonly fc.Arbitrary<Both>[]): fc.Arbitrary<Both> {
  return fc.tuple(fc.constantFrom(...names), ...args).map(([name, ...given]) => ({
    go: [name, ...given.map((arg) => `(${arg.go})`)].join(' '),
    handlebars: [
      name,
      ...given.map((arg) =>
        /^[\w"-]\S*( \S+)+$/.test(arg.handlebars) && !arg.handlebars.startsWith('"') ? `(${arg.handlebars})` : arg.handlebars,
      ),
    ].join(' '),
  }))
}

test('an expression that renders in Go renders the same in Handlebars', () => {
  const renderer = new TemplateRenderer({ library: functionLibrary, handlebars: new HandlebarsRenderer() })
  let rendered = 0

  fc.assert(
    fc.property(expression, (both) => {
      let expected: string
      try {
        expected = renderer.renderString(`{{ ${both.go} }}`, params)
      } catch {
        // Go refuses some types that fit here.
        return
      }
      // A list as text is what this dialect refuses.
      if (expected.startsWith('[') && !both.go.startsWith('toJson')) return
      rendered++
      expect(renderer.renderString(`{{${both.handlebars}}}`, params, { dialect: 'Handlebars' })).toBe(expected)
    }),
    { numRuns: 1500 },
  )

  expect(rendered).toBeGreaterThan(500)
})
