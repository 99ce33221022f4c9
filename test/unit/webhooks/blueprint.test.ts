import { describe, expect, test } from 'vitest'
import { readReview, renderReview } from '../../../src/webhooks/admission-review.ts'
import { judgeBlueprint } from '../../../src/webhooks/blueprint.ts'

interface Phase {
  readonly name: string
  readonly func: string
  readonly args: Readonly<Record<string, unknown>>
}

const sound: Phase = {
  name: 'dump',
  func: 'KubeTask',
  args: { image: 'busybox', command: ['echo', '{{ .StatefulSet.Name }}'] },
}
const broken: Phase = {
  name: 'dump',
  func: 'KubeTask',
  args: { image: 'busybox', command: ['sh', '-c', 'set -e\necho {{ .StatefulSet.Nam }}'] },
}
const unsure: Phase = { name: 'dump', func: 'KubeTask', args: { image: 'busybox', command: ['sh', '-c', 'dump | gzip > /x'] } }

function aBlueprint(phases: readonly Phase[], metadata: object = {}): object {
  return {
    apiVersion: 'cr.kanister.io/v1alpha1',
    kind: 'Blueprint',
    metadata: { name: 'db', namespace: 'ns', ...metadata },
    actions: { backup: { kind: 'StatefulSet', phases } },
  }
}

function created(object: object): ReturnType<typeof judgeBlueprint> {
  return judgeBlueprint({ uid: 'u', operation: 'CREATE', object })
}

function updated(oldObject: object, object: object): ReturnType<typeof judgeBlueprint> {
  return judgeBlueprint({ uid: 'u', operation: 'UPDATE', object, oldObject })
}

describe('a Blueprint at admission', () => {
  test('a sound one passes without a word', () => {
    expect(created(aBlueprint([sound]))).toEqual({ warnings: [] })
  })

  test('a broken one is refused in the form of Kanister, with phase, place and line', () => {
    expect(created(aBlueprint([broken])).refusal).toBe(
      'Invalid blueprint, Failed to validate phase dump in action backup: "StatefulSet" has no field "Nam"; did you mean Name? ' +
        '(line 2, column 9 of actions.backup.phases[0].args.command[2], LINT_VARIABLE)\n',
    )
  })

  test.each([
    ['an unknown function', { ...sound, func: 'KubeTusk' }, 'there is no function "KubeTusk"; did you mean KubeTask?'],
    ['an unknown argument', { ...sound, args: { ...sound.args, imag: 'x' } }, 'KubeTask has no argument "imag"'],
    ['a missing argument', { ...sound, args: { image: 'x' } }, 'KubeTask needs the argument "command"'],
  ])('%s is refused', (_what, phase, message) => {
    expect(created(aBlueprint([phase])).refusal).toContain(message)
  })

  test('what may be meant passes with a warning', () => {
    const verdict = created(aBlueprint([unsure]))

    expect(verdict.refusal).toBeUndefined()
    expect(verdict.warnings).toHaveLength(1)
    expect(verdict.warnings[0]).toContain('phase dump in action backup')
    expect(verdict.warnings[0]).toContain('LINT_PIPEFAIL')
  })

  test('a refusal tells ten findings and how many more there are', () => {
    const phases = Array.from({ length: 14 }, (_, at) => ({ ...sound, name: `p${at}`, func: 'Nope' }))
    const lines = created(aBlueprint(phases)).refusal?.trimEnd().split('\n') ?? []

    expect(lines).toHaveLength(11)
    expect(lines.at(-1)).toBe('and 4 more: holdfast blueprint lint FILE')
  })

  test('warnings fit into headers: one line, bounded in length and number', () => {
    const long = 'x'.repeat(400)
    const phases = Array.from({ length: 30 }, (_, at) => ({ ...unsure, name: `${long}${at}` }))
    const { warnings } = created(aBlueprint(phases))

    expect(warnings).toHaveLength(11)
    expect(Math.max(...warnings.map((warning) => warning.length))).toBeLessThan(256)
    expect(warnings.join('')).not.toMatch(/\p{Cc}/u)
  })
})

describe('a Blueprint that is stored already', () => {
  test('a change of metadata passes, however broken the rest is', () => {
    const verdict = updated(aBlueprint([broken]), aBlueprint([broken], { labels: { a: 'b' } }))

    expect(verdict.refusal).toBeUndefined()
    expect(verdict.warnings[0]).toContain('"StatefulSet" has no field "Nam"')
  })

  test('an error that was there before does not keep its author from mending another, wherever it moved', () => {
    const other = { ...sound, name: 'other', func: 'Nope' }
    const verdict = updated(aBlueprint([other, broken]), aBlueprint([broken]))

    expect(verdict.refusal).toBeUndefined()
    expect(verdict.warnings).toHaveLength(1)
  })

  test('an update that brings a new error is refused for that one', () => {
    const other = { ...sound, name: 'other', func: 'Nope' }
    const verdict = updated(aBlueprint([broken]), aBlueprint([broken, other]))

    expect(verdict.refusal).toContain('Nope')
    expect(verdict.refusal).not.toContain('Nam')
    expect(verdict.warnings[0]).toContain('Nam')
  })

  test('deleting, and the last update before an object is gone, always pass', () => {
    const dying = aBlueprint([broken], { deletionTimestamp: '2026-01-01T00:00:00Z' })

    expect(judgeBlueprint({ uid: 'u', operation: 'DELETE', oldObject: aBlueprint([broken]) })).toEqual({ warnings: [] })
    expect(updated(aBlueprint([sound]), dying)).toEqual({ warnings: [] })
  })

  test('one whose author says so by a label is taken as it is', () => {
    const labels = { 'holdfast.dev/validate': 'false' }

    expect(created(aBlueprint([broken], { labels }))).toEqual({ warnings: [] })
    expect(updated(aBlueprint([sound]), aBlueprint([broken], { labels }))).toEqual({ warnings: [] })
  })

  test('a name that the API server has yet to make is not missed', () => {
    const object = { ...aBlueprint([sound]), metadata: { generateName: 'db-', namespace: 'ns' } }

    expect(created(object)).toEqual({ warnings: [] })
  })

  test('one that is too long to be checked between other work passes with a warning', () => {
    const giant = { ...broken, args: { image: 'x', command: ['x'.repeat(200_000), '{{ .Nope }}'] } }
    const verdict = created(aBlueprint([giant]))

    expect(verdict.refusal).toBeUndefined()
    expect(verdict.warnings[0]).toContain('too long')
  })
})

describe('an AdmissionReview', () => {
  test('of version 1 is read', () => {
    const request = {
      uid: 'u',
      operation: 'UPDATE',
      name: 'n',
      namespace: 'ns',
      object: { a: 1 },
      oldObject: null,
      dryRun: true,
    }

    expect(readReview(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request }))).toEqual({
      uid: 'u',
      operation: 'UPDATE',
      name: 'n',
      namespace: 'ns',
      object: { a: 1 },
    })
  })

  test.each([
    '',
    '[]',
    'null',
    '{"request":{}}',
    '{"apiVersion":"admission.k8s.io/v2","request":{"uid":"u","operation":"CREATE"}}',
  ])('%j is none', (body) => {
    expect(readReview(body)).toBeUndefined()
  })

  test('is answered under its uid', () => {
    expect(JSON.parse(renderReview('u', { refusal: 'no', warnings: ['w'] }))).toEqual({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid: 'u', allowed: false, status: { code: 403, reason: 'Forbidden', message: 'no' }, warnings: ['w'] },
    })
    expect(JSON.parse(renderReview('u', { warnings: [] }))).toMatchObject({ response: { uid: 'u', allowed: true } })
  })
})
