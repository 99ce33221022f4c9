import { fc } from '../../build/properties.ts'
import { describe, expect, test } from 'vitest'
import {
  checkArtifacts,
  checkCheckpoint,
  checkInputs,
  checkOutputs,
  clip,
  failureOf,
  limits,
} from '../../../src/engine/limits.ts'
import { mergeProgress } from '../../../src/engine/progress.ts'
import { runError } from '../../../src/engine/errors.ts'

const spec = { actionSet: { name: 'as', uid: 'u' }, actions: [] }
const empty = { spec, status: { state: 'running' as const, actions: {} } }

describe('what a Run keeps', () => {
  test('outputs must be a JSON map, and not larger than an ActionSet can hold', () => {
    expect(checkOutputs({ a: 1, b: undefined }, empty)).toEqual({ a: 1 })
    expect(checkOutputs(undefined, empty)).toBeUndefined()
    expect(() => checkOutputs({ big: 'x'.repeat(limits.outputsBytes) }, empty)).toThrow(/push data to the location/)
    const circle: Record<string, unknown> = {}
    circle['self'] = circle
    expect(() => checkOutputs(circle, empty)).toThrow(/no JSON/)
    expect(() => checkOutputs([] as never, empty)).toThrow(/not a map/)
  })

  test('outputs of all phases of all actions count together', () => {
    const output = { x: 'x'.repeat(300_000) }
    const action = {
      state: 'running' as const,
      dispatch: 1,
      fence: { owner: '', instance: '', attempt: 0 },
      phases: [{ name: 'p', state: 'complete' as const, output }],
    }

    expect(() => checkOutputs(output, { spec, status: { state: 'running', actions: { '0': action } } })).toThrow(
      /outputs of this run/,
    )
  })

  test('nothing makes a Run larger than the API server stores', () => {
    const full = {
      ...empty,
      spec: { ...spec, actions: [{ action: { options: { x: 'x'.repeat(limits.runBytes - 200_000) } } }] },
    }
    const large = { x: 'x'.repeat(300_000) }

    expect(() => checkInputs(large, full)).toThrow(/this run would be/)
    expect(() => checkOutputs(large, full)).toThrow(/this run would be/)
    expect(() => checkArtifacts(large, full)).toThrow(/this run would be/)
    expect(() => checkInputs(large, empty)).not.toThrow()
    expect(() => checkInputs({ x: 'x'.repeat(limits.inputsBytes) }, empty)).toThrow(/more than the/)
  })

  test('a checkpoint in a circle is no checkpoint', () => {
    const circle: Record<string, unknown> = {}
    circle['self'] = circle

    expect(() => checkCheckpoint(circle)).toThrow(/a checkpoint is no JSON/)
  })

  test('a failure keeps its code and a text of bounded length', () => {
    const failure = failureOf(runError('RUN_TIMEOUT', `late ${'é'.repeat(20_000)} end`))

    expect(failure.code).toBe('RUN_TIMEOUT')
    expect(Buffer.byteLength(failure.message)).toBeLessThan(limits.textBytes + 100)
    expect(failure.message).toMatch(/^late .* end$/)
  })

  test('a clipped text is valid and short whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 6_000 }), (text) => {
        const clipped = clip(text.toWellFormed())
        expect(clipped.isWellFormed()).toBe(true)
        expect(Buffer.byteLength(clipped)).toBeLessThan(limits.textBytes + 16)
      }),
    )
  })
})

describe('progress', () => {
  test('moves its time only with a number, and keeps what a report does not name', () => {
    const first = mergeProgress(undefined, { progressPercent: '10', sizeUploadedB: 5 }, 't1')
    expect(first).toEqual({ progressPercent: '10', sizeUploadedB: 5, lastTransitionTime: 't1' })
    expect(mergeProgress(first, { progressPercent: '10' }, 't2')).toBeUndefined()
    expect(mergeProgress(first, { progressPercent: '20' }, 't3')).toEqual({
      progressPercent: '20',
      sizeUploadedB: 5,
      lastTransitionTime: 't3',
    })
  })
})
