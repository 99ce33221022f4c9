import { expect, test } from 'vitest'
import { HandlebarsRenderer } from '../../../../src/template/handlebars/renderer.ts'
import { functionLibrary } from '../../../../src/template/functions/registry.ts'
import { TemplateRenderer } from '../../../../src/template/render.ts'
import type { TemplateParams } from '../../../../src/template/variables.ts'

const params: TemplateParams = {
  StatefulSet: { Name: 'pg', Namespace: 'db', Pods: ['pg-0', 'pg-1'], Containers: [['postgres'], ['postgres']] },
  Options: { mode: 'fast', 'dash-name': 'd', empty: '' },
  Time: '2026-01-02T03:04:05Z',
  Secrets: { creds: { data: { password: base64('<s"ecr&t\'>'), binary: Buffer.from([255, 0]).toString('base64') } } },
  Object: {
    metadata: { name: 'o', labels: { a: '1', b: '2' } },
    spec: { count: 3, ratio: 1.5, list: ['x', 'y'], nothing: null, values: [1] },
  },
  Phases: { dump: { Output: { snapshot: 'abc' } } },
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

function render(template: string): string {
  const renderer = new TemplateRenderer({ library: functionLibrary, handlebars: new HandlebarsRenderer() })
  return renderer.renderString(template, params, { dialect: 'Handlebars' })
}

test.each([
  ['{{StatefulSet.Namespace}}/{{StatefulSet.Pods.[0]}}', 'db/pg-0'],
  ['{{Options.dash-name}} {{lookup Options "mode"}} {{Options.[mode]}}', 'd fast fast'],
  ['{{{Options.mode}}}{{&Options.mode}}', 'fastfast'],
  ['{{Object.spec.count}} {{Object.spec.ratio}} {{true}} {{1}} {{1.5}}', '3 1.5 true 1 1.5'],
  ['{{upper (trunc 2 Options.mode)}}', 'FA'],
  ['{{date "2006-01-02" (toDate "2006-01-02T15:04:05Z07:00" Time)}}', '2026-01-02'],
  ['{{hello}} {{uuidv4}}'.slice(0, 9), 'Hello!'],
  ['{{! a note }}x{{!-- {{y}} --}}', 'x'],
  ['a\n{{#if StatefulSet}}\nb\n{{/if}}\nc', 'a\nb\nc'],
  ['  {{~Options.mode~}}  |', 'fast|'],
  ['\\{{x}} {{{{raw}}}}{{y}}{{{{/raw}}}}', '{{x}} {{y}}'],
])('%s', (template, output) => {
  expect(render(template)).toBe(output)
})

test('nothing is escaped, and bytes that are text print as what they spell', () => {
  expect(render('{{Secrets.creds.Data.password}}')).toBe('<s"ecr&t\'>')
  expect(() => render('{{Secrets.creds.Data.binary}}')).toThrow('print them with {{b64enc')
  expect(render('{{b64enc Secrets.creds.Data.binary}}')).toBe('/wA=')
})

test('blocks choose, go through lists and maps, and step into objects', () => {
  expect(render('{{#if Deployment}}d{{else if StatefulSet}}s{{else}}n{{/if}}')).toBe('s')
  expect(render('{{#unless Deployment}}none{{/unless}}')).toBe('none')
  expect(render('{{#each StatefulSet.Pods as |pod at|}}{{at}}={{pod}}{{#unless @last}},{{/unless}}{{/each}}')).toBe(
    '0=pg-0,1=pg-1',
  )
  expect(render('{{#each Object.metadata.labels}}{{@key}}{{this}}{{../Options.mode}} {{/each}}')).toBe('a1fast b2fast ')
  expect(render('{{#each (list)}}x{{else}}empty{{/each}}')).toBe('empty')
  expect(
    render('{{#each StatefulSet.Containers}}{{#each this}}{{@../index}}{{this}} {{@root.Options.mode}} {{/each}}{{/each}}'),
  ).toBe('0postgres fast 1postgres fast ')
  expect(render('{{#with Object.spec as |spec|}}{{count}}{{spec.ratio}}{{../Time}}{{/with}}')).toBe('31.52026-01-02T03:04:05Z')
  expect(render('{{#with (or Deployment StatefulSet)}}{{Name}}{{else}}x{{/with}}')).toBe('pg')
})

test('what may be absent has a written form', () => {
  expect(render('{{default "10" (optional Options.retries)}}')).toBe('10')
  expect(render('{{default "10" (optional Options "retries")}}{{default "-" (optional Nope.what.ever)}}')).toBe('10-')
  expect(render('{{#if (has Options "mode")}}y{{/if}}{{#if (has Options "pitr")}}n{{/if}}')).toBe('y')
  expect(
    render('{{has Phases "dump" "Output" "snapshot"}} {{has Phases "dump" "Output" "other"}} {{has Deployment "Name"}}'),
  ).toBe('true false false')
  expect(render('{{has "x" Object.spec.list}}')).toBe('true')
  expect(() => render('{{optional Options.retries}}')).toThrow('default')
})

test.each([
  ['{{Options.mod}}', 'column 3: "Options.mod" is not there: "Options" has no "mod"; did you mean "mode"'],
  ['{{Optoins.mode}}', 'has no field "Optoins"; did you mean "Options"'],
  ['x\n  {{Phases.dump.Output.snapshto}}', 'line 2, column 5: "Phases.dump.Output.snapshto" is not there'],
  ['{{Deployment.Name}}', '"Deployment" is not set'],
  ['{{Object.spec.nothing}}', '"Object.spec.nothing" is not set'],
  ['{{#if Options.pitr}}x{{/if}}', '"Options.pitr" is not there'],
  ['{{#each Options.pitr}}x{{/each}}', '"Options.pitr" is not there'],
  ['{{upper Options.pitr}}', '"Options.pitr" is not there'],
  ['{{lookup Options "pitr"}}', '"Options" has no "pitr"'],
  ['{{StatefulSet.Pods.[7]}}', 'has 2 items, counted from 0: there is no item 7'],
  ['{{Options.constructor}}', '"Options" has no "constructor"'],
  ['{{Options.__proto__}}', '"Options" has no "__proto__"'],
  ['{{StatefulSet.toString}}', 'has no field "toString"'],
])('an unknown variable is an error with its place and the way out: %s', (template, message) => {
  expect(() => render(template)).toThrow(
    expect.objectContaining({ code: 'TEMPLATE_UNKNOWN_VARIABLE', message: expect.stringContaining(message) }),
  )
})

test.each([
  ['{{Object.spec}}', 'is an object; print it with {{toJson …}}'],
  ['{{Object.spec.list}}', 'is a list; print it with {{toJson …}}, {{join "," …}}'],
  ['{{#with Object.spec}}{{values}}{{/with}}', 'write {{this.values}} for the field'],
  ['{{trunc 3}}', 'wrong number of args for trunc: want 2 got 1'],
  ['{{trunc "x" "y"}}', 'trunc: wrong type for value; expected int; got string'],
  ['{{fail "on purpose"}}', 'fail: on purpose'],
  ['{{../x}}', 'above the outermost context'],
])('a template that fails says why: %s', (template, message) => {
  expect(() => render(template)).toThrow(
    expect.objectContaining({ code: 'TEMPLATE_EXEC', message: expect.stringContaining(message) }),
  )
})

test.each([
  ['{{> partial}}', 'partials'],
  ['{{* decorator}}', 'decorators'],
  ['{{upper text="x"}}', 'named arguments'],
  ['{{#upper "x"}}y{{/upper}}', 'there is no block "upper"'],
  ['{{#if false}}{{uper "x"}}{{/if}}', 'there is no function "uper"; did you mean "upper"'],
  ['a\nb {{#if Time}}', 'line 2, column 15'],
  ['{{#if Time}}x{{/each}}', 'block "if" is closed by "each"'],
  ['x {{Options.mode', 'this tag is not closed'],
  ['{{index .Deployment.Pods 0}}', 'belong to Go templates'],
  ['{{ .Options.mode }}', 'belong to Go templates'],
  ['{{ if .Options.mode }}x{{ end }}', 'belong to Go templates'],
  ['{{ $x := 1 }}', 'belong to Go templates'],
  ['{{ upper Options.mode | trim }}', 'a pipe is written as a call here'],
])('what does not parse says where and why: %s', (template, message) => {
  expect(() => render(template)).toThrow(
    expect.objectContaining({ code: 'TEMPLATE_PARSE', message: expect.stringContaining(message) }),
  )
})

test('a template cannot hang or fill the engine', () => {
  const list = '(until 1000)'
  const nested = `{{#each ${list}}}{{#each ${list}}}{{#each ${list}}}x{{/each}}{{/each}}{{/each}}`

  expect(() => render(nested)).toThrow(expect.objectContaining({ code: 'TEMPLATE_LIMIT' }))
  expect(() => render('{{repeat 100000000 "x"}}')).toThrow('limit')
})

test('the parser of the package is left as it was', () => {
  expect(() => render('{{')).toThrow()
  expect(render('{{Options.mode}}')).toBe('fast')
})
