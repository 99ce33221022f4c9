import { expect, test } from 'vitest'
import { functionLibrary } from '../../../../src/template/functions/registry.ts'
import { TemplateRenderer } from '../../../../src/template/render.ts'

const doubling = (start: string, double: string, then: string): string =>
  `{{ $x := ${start} }}{{ range until 60 }}{{ $x = ${double} }}{{ end }}{{ ${then} }}`

test.each([
  doubling('"aaaa"', 'cat $x $x', 'len $x'),
  doubling('"aaaa"', 'print $x $x', 'len $x'),
  doubling('list 1', 'concat $x $x', 'len $x'),
  doubling('list 1', 'list $x $x', '$x'),
  doubling('list 1', 'list $x $x', 'toJson $x'),
  doubling('list 1', 'list $x $x', 'deepCopy $x | len'),
  '{{ $d := dict }}{{ $_ := set $d "self" $d }}{{ $d }}',
  '{{ $d := dict }}{{ $_ := set $d "self" $d }}{{ toJson $d }}',
  '{{ repeat 999999999 "x" }}',
  '{{ until 999999999 | len }}',
  '{{ indent 999999999 "x" }}',
])('a few steps cannot fill the engine: %s', (template) => {
  const renderer = new TemplateRenderer({ library: functionLibrary })

  expect(() => renderer.renderGo(template, { data: null })).toThrow(/limit|more than 1000000 steps/)
})
