import { describe, expect, test } from 'vitest'
import { defineTemplateFunction, emptyHost, type TemplateFunction } from '../../../src/template/functions/define.ts'
import { functionLibrary } from '../../../src/template/functions/registry.ts'
import { string } from '../../../src/template/go/go-type.ts'
import { TemplateRenderer } from '../../../src/template/render.ts'
import type { TemplateParams } from '../../../src/template/variables.ts'

const renderer = new TemplateRenderer({ library: functionLibrary })

const params: TemplateParams = {
  Time: '2026-11-21T09:47:27Z',
  StatefulSet: { Name: 'db', Namespace: 'prod', Pods: ['db-0', 'db-1'], Containers: [['main'], ['main']] },
  Options: { mode: 'fast', empty: '' },
  Secrets: { creds: { metadata: { name: 'creds' }, data: { password: 'czNjcjN0', binary: 'AP8Q' } } },
  Object: { metadata: { name: 'db' }, spec: { replicas: 2, ratio: 0.5 } },
  Phases: {},
}

describe('arguments', () => {
  test('are rendered wherever a text is, keys of nested maps too, names of arguments not', () => {
    const args = {
      '{{ .Time }}': 'x',
      command: ['sh', '-c', 'echo {{ .StatefulSet.Name }}'],
      env: { '{{ .Options.mode }}': '{{ index .StatefulSet.Pods 1 }}' },
      count: 3,
      on: true,
    }

    expect(renderer.renderArgs(args, params)).toEqual({
      '{{ .Time }}': 'x',
      command: ['sh', '-c', 'echo db'],
      env: { fast: 'db-1' },
      count: 3,
      on: true,
    })
  })

  test('that are null are as if they were not there, where Kanister crashes', () => {
    expect(renderer.renderArgs({ a: null, b: { c: null, d: 'x' }, e: [null, 'y'] }, params)).toEqual({
      b: { d: 'x' },
      e: [null, 'y'],
    })
  })

  test('name themselves in a failure, with the place in the template', () => {
    const args = { pod: { spec: ['ok', 'line\n  {{ .Options.nope }}'] } }

    expect(() => renderer.renderArgs(args, params)).toThrow(
      'argument "pod.spec[1]": Failed to render template: "nope" not found (config:2:13 at <.Options.nope>)',
    )
  })
})

describe('the context', () => {
  test('shows secret data as bytes, which toString makes a text', () => {
    expect(
      renderer.renderString('{{ .Secrets.creds.Data.password }} {{ .Secrets.creds.Data.password | toString }}', params),
    ).toBe('[115 51 99 114 51 116] s3cr3t')
  })

  test('gives integers of the object as int64, other numbers as float64', () => {
    expect(renderer.renderString('{{ printf "%T %T" .Object.spec.replicas .Object.spec.ratio }}', params)).toBe('int64 float64')
  })

  test('has a nil for a workload that the object is not', () => {
    expect(renderer.renderString('{{ if .Deployment }}d{{ else }}{{ .StatefulSet.Name }}{{ end }}', params)).toBe('db')
    expect(() => renderer.renderString('{{ .Deployment.Name }}', params)).toThrow(
      'template: config:1:14: executing "config" at <.Deployment.Name>: nil pointer evaluating *param.DeploymentParams.Name',
    )
  })

  test('is not changed from one rendering to the next', () => {
    expect(renderer.renderString('{{ $_ := set .Object "added" 1 }}{{ hasKey .Object "added" }}', params)).toBe('true')
    expect(renderer.renderString('{{ hasKey .Object "added" }}', params)).toBe('false')
  })
})

describe('artifacts and references', () => {
  test('of an artifact the values are rendered, the keys not', () => {
    const artifacts = { dump: { keyValue: { '{{ x }}': '{{ .Options.mode }}' } }, none: {} }

    expect(renderer.renderArtifacts(artifacts, params)).toEqual({ dump: { keyValue: { '{{ x }}': 'fast' } }, none: {} })
  })

  test('references need the params of an action', () => {
    const refs = { s: { kind: 'Secret', name: '{{ .StatefulSet.Name }}-creds', namespace: '{{ .StatefulSet.Namespace }}' } }

    expect(renderer.renderObjectRefs(refs, params)).toEqual({ s: { kind: 'Secret', name: 'db-creds', namespace: 'prod' } })
    expect(renderer.renderObjectRefs(refs, {})).toBeUndefined()
  })
})

describe('conditions', () => {
  const pod = { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }], note: 'costs $& more' } }

  test('of Wait see what JSONPaths find in the object', () => {
    const condition = `{{ eq "{ $.status.conditions[?(@.type=='Ready')].status }" "True" }}`

    expect(renderer.renderWaitCondition(condition, pod)).toEqual({ output: 'true', met: true })
    expect(renderer.renderWaitCondition('{ $.status.note }', pod).output).toBe('costs $& more')
  })

  test('of Wait fail for a path that is not there, without showing the object', () => {
    expect(() => renderer.renderWaitCondition('{ $.status.nope }', pod)).toThrow(/nope is not found$/)
  })

  test('of WaitV2 see the object itself; one that does not parse is not met', () => {
    expect(renderer.renderWaitV2Condition('{{ eq .status.phase "Running" }}', pod).met).toBe(true)
    expect(renderer.renderWaitV2Condition('{{ if exists . "status" "nope" }}true{{ end }}', pod).met).toBe(false)
    expect(renderer.renderWaitV2Condition('{{ bad', pod)).toEqual({ output: '', met: false })
  })
})

describe('limits', () => {
  const limited = new TemplateRenderer({ library: functionLibrary, limits: { steps: 1000, outputLength: 100, depth: 20 } })

  test.each([
    ['a loop that goes on', '{{ range 1000000000 }}{{ end }}', 'more than 1000 steps'],
    ['an output that fills the engine', '{{ range 200 }}xxxxxxxxxx{{ end }}', 'the output is longer than 100 characters'],
    ['a template that calls itself', '{{ define "a" }}{{ template "a" }}{{ end }}{{ template "a" }}', 'more than 20 levels'],
    ['deep parentheses', `{{ ${'('.repeat(2000)}1${')'.repeat(2000)} }}`, 'max expression depth exceeded'],
    ['deep blocks', `${'{{ if 1 }}'.repeat(2000)}${'{{ end }}'.repeat(2000)}`, 'levels of nesting'],
  ])('stop %s', (_what, template, message) => {
    expect(() => limited.renderString(template, {})).toThrow(message)
  })
})

test('a failure half way gives the message of the inside and the place of the call', () => {
  expect(() => renderer.renderString('before\n {{ fail "no" }}', params)).toThrow(
    'template: config:2:4: executing "config" at <fail "no">: error calling fail: no',
  )
})

test('a template reads the time and the environment of the host that it is given, nothing else', () => {
  const host = { ...emptyHost, now: () => 1_700_000_000_000_000_000n, env: new Map([['ZONE', 'eu']]) }

  expect(renderer.renderString('{{ env "ZONE" }}{{ env "PATH" }} {{ now | date "2006-01-02" }}', params, { host })).toBe(
    'eu 2023-11-14',
  )
})

test('a Handlebars text is refused by a renderer that has no Handlebars', () => {
  expect(() => renderer.renderString('{{Time}}', params, { dialect: 'Handlebars' })).toThrow('Handlebars')
})

test('what a function gives back is bytes joined rightly, whatever the pieces were', () => {
  const join: TemplateFunction = defineTemplateFunction({
    name: 'join2',
    summary: 'Joins two texts.',
    params: [string, string],
    result: string,
    call: (_host, a, b) => a + b,
  })
  const own = new TemplateRenderer({ library: new Map([[join.name, join]]) })

  expect(own.renderString('{{ eq (join2 "\\xe2\\x82" "\\xac") "€" }} {{ len (join2 "\\xff" "é") }}', {})).toBe('true 3')
})
