import { expect, test } from 'vitest'
import { fromKubernetesObject } from '../../../src/template/go/from-json.ts'
import { printJsonPath } from '../../../src/template/jsonpath/evaluate.ts'
import { parseJsonPath } from '../../../src/template/jsonpath/parser.ts'

const object = fromKubernetesObject({
  kind: 'List',
  items: [
    { name: 'a', n: 1, labels: { 'app.kubernetes.io/name': 'x' }, tags: ['p', 'q'] },
    { name: 'b', n: 2, ratio: 0.5, tags: [] },
    { name: 'c', n: 3, on: true, nothing: null },
  ],
})

function print(path: string): string {
  return printJsonPath(parseJsonPath(path), object)
}

test.each([
  ['{.kind}', 'List'],
  ['kind is {$.kind}!', 'kind is List!'],
  ['{.items[0].name} {.items[-1].name}', 'a c'],
  ['{.items[*].name}', 'a b c'],
  ['{.items[0:2].name}', 'a b'],
  ['{.items[0:3:2].name}', 'a c'],
  ['{.items[0,2].name}', 'a c'],
  ['{.items[].name}', 'a'],
  ["{.items[0]['name']}", 'a'],
  ['{.items[0].labels.app\\.kubernetes\\.io/name}', 'x'],
  ['{.items[?(@.n>1)].name}', 'b c'],
  ['{.items[?(@.name=="b")].n}', '2'],
  ['{.items[?(@.ratio)].name}', 'b'],
  ['{..name}', 'a b c'],
  ['{.items[0].tags}', '["p","q"]'],
  ['{.items[2].nothing}', 'null'],
  ['{range .items[*]}{.name}={.n};{end}', 'a=1;b=2;c=3;'],
  ['{range .items[*]}{.name}{"\\t"}{end}.', 'a\tb\tc\t.'],
])('%s gives %s', (path, text) => {
  expect(print(path)).toBe(text)
})

test.each([
  ['{.nope}', 'nope is not found'],
  ['{.items[7]}', 'array index out of bounds: index 7, length 3'],
  ['{.kind[0]}', 'string is not array or slice'],
  ['{word}', 'unrecognized identifier word'],
  ['{end}', 'not in range, nothing to end'],
  ['{.items[?(@.n=="x")]}', 'incompatible types for comparison'],
])('%s fails: %s', (path, message) => {
  expect(() => print(path)).toThrow(message)
})

test.each(['{.a', '{.a[}', '{"x}', '{.a[x]}', '{#}', '{.a[?(@.b}'])('%s does not parse', (path) => {
  expect(() => parseJsonPath(path)).toThrow()
})
