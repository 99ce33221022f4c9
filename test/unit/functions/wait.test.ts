import { describe, expect, test } from 'vitest'
import { wait } from '../../../src/functions/wait.ts'
import { waitV2 } from '../../../src/functions/wait-v2.ts'
import { kubeError } from '../../../src/kube/errors.ts'
import { kinds } from '../../../src/kube/kinds.ts'
import { FakeApi } from '../../build/fake-api.ts'
import { aFunctionContext, type ContextParts, type RecordedContext, runFunction } from '../../build/function-context.ts'

const ready = '{{ if eq "{ $.data.state }" "ready" }}true{{ else }}false{{ end }}'
const readyV2 = '{{ eq .data.state "ready" }}'

function objectReference(name: string): object {
  return { apiVersion: 'v1', resource: 'configmaps', name, namespace: '{{ .Options.where }}' }
}

function world(parts: Partial<ContextParts> = {}): { readonly api: FakeApi; readonly recorded: RecordedContext } {
  const api = new FakeApi()
  const recorded = aFunctionContext({ kube: api.kube(), params: { Options: { where: 'n', patience: '200ms' } }, ...parts })
  return { api, recorded }
}

function put(api: FakeApi, name: string, data: Record<string, string>): void {
  api.put(kinds.configMaps, { metadata: { name, namespace: 'n' }, data })
}

describe.each([
  ['Wait', wait, ready],
  ['WaitV2', waitV2, readyV2],
] as const)('%s', (_name, fn, condition) => {
  test('ends when the object says so, however late it comes', async () => {
    const { api, recorded } = world()
    let looks = 0
    api.before = () => {
      looks++
      if (looks === 2) put(api, 'a', { state: 'starting' })
      if (looks === 3) put(api, 'a', { state: 'ready' })
    }

    const outputs = await runFunction(fn, recorded.ctx, {
      timeout: '1m',
      conditions: { anyOf: [{ condition, objectReference: objectReference('a') }] },
    })

    expect(outputs).toBeUndefined()
    expect(looks).toBe(3)
    expect(recorded.warnings).toEqual([])
  })

  test('an object that is absent hides no other of anyOf', async () => {
    const { api, recorded } = world()
    put(api, 'b', { state: 'ready' })
    const anyOf = ['a', 'b'].map((name) => ({ condition, objectReference: objectReference(name) }))

    await runFunction(fn, recorded.ctx, { timeout: '1m', conditions: { anyOf } })

    expect(api.requests.map(({ name }) => name)).toEqual(['a', 'b'])
  })

  test('all of allOf are needed; with anyOf beside it either will do', async () => {
    const { api, recorded } = world()
    put(api, 'a', { state: 'ready' })
    put(api, 'b', { state: 'starting' })
    const entry = (name: string): object => ({ condition, objectReference: objectReference(name) })

    const both = runFunction(fn, recorded.ctx, { timeout: '0s', conditions: { allOf: [entry('a'), entry('b')] } })
    const either = runFunction(fn, world({ kube: api.kube() }).recorded.ctx, {
      timeout: '0s',
      conditions: { anyOf: [entry('b')], allOf: [entry('a')] },
    })

    await expect(both).rejects.toThrow(
      /^Failed to wait for the condition to be met: Context done while polling: context deadline exceeded/,
    )
    expect(await either).toBeUndefined()
  })

  test('when the time is over, the last reason stands in front; timeout is a template', async () => {
    const { recorded } = world()
    const conditions = { allOf: [{ condition, objectReference: objectReference('gone') }] }

    const failure = runFunction(fn, recorded.ctx, { timeout: '{{ .Options.patience }}', conditions })

    await expect(failure).rejects.toThrow(/^configmaps "gone" not found: Failed to wait for the condition to be met/)
    await expect(failure).rejects.toMatchObject({ code: 'FUNCTION_WAIT_TIMEOUT' })
  })

  test('a condition that is not well formed fails before the first look', async () => {
    const { api, recorded } = world()
    const conditions = { anyOf: [{ condition: '{{ eq 1', objectReference: objectReference('a') }] }

    const failure = runFunction(fn, recorded.ctx, { timeout: '10m', conditions })

    await expect(failure).rejects.toMatchObject({ code: 'TEMPLATE_PARSE' })
    expect(api.requests).toEqual([])
  })

  test('an attempt that takes over has what time is left', async () => {
    const { recorded } = world({ resumed: { until: 1 } })
    const conditions = { anyOf: [{ condition, objectReference: objectReference('a') }] }

    await expect(runFunction(fn, recorded.ctx, { timeout: '10m', conditions })).rejects.toMatchObject({
      code: 'FUNCTION_WAIT_TIMEOUT',
    })
    expect(recorded.checkpoints).toEqual([])
  })

  test('a right that is missing is warned of once', async () => {
    const { api, recorded } = world()
    put(api, 'a', { state: 'ready' })
    let looks = 0
    api.before = () => {
      if (++looks < 3) throw kubeError('KUBE_FORBIDDEN', 'cannot get resource "configmaps"')
    }
    const conditions = { anyOf: [{ condition, objectReference: objectReference('a') }] }

    await runFunction(fn, recorded.ctx, { timeout: '10m', conditions })

    expect(recorded.warnings).toEqual([expect.stringMatching(/cannot get resource/)])
  })

  test('nothing to wait for, half a reference and a strange duration are refused', async () => {
    const { ctx } = world().recorded
    const half = { condition, objectReference: { apiVersion: 'v1', name: 'x' } }
    const whole = { condition, objectReference: objectReference('a') }

    await expect(runFunction(fn, ctx, { timeout: '1s', conditions: {} })).rejects.toThrow(/nothing to wait for/)
    await expect(runFunction(fn, ctx, { timeout: '1s', conditions: { anyOf: [half] } })).rejects.toThrow(/lacks resource/)
    await expect(runFunction(fn, ctx, { timeout: 'soon', conditions: { anyOf: [whole] } })).rejects.toThrow(
      /invalid duration "soon"/,
    )
  })
})

describe('conditions of Wait', () => {
  test.each(['{{ eq {$.data.state} "ready" }}', '{{ eq "{ $.data[ }" "ready" }}', '{{ $x := 1 }}true'])(
    '%j can never be met, and is said at once',
    async (condition) => {
      const { ctx } = world().recorded
      const conditions = { anyOf: [{ condition, objectReference: objectReference('a') }] }

      await expect(runFunction(wait, ctx, { timeout: '10m', conditions })).rejects.toMatchObject({ code: 'TEMPLATE_PARSE' })
    },
  )
})

describe('conditions of WaitV2', () => {
  test('a field that is not there is not met and no error', async () => {
    const { api, recorded } = world()
    put(api, 'a', {})
    const conditions = { anyOf: [{ condition: '{{ .status.phase.deep }}', objectReference: objectReference('a') }] }

    await expect(runFunction(waitV2, recorded.ctx, { timeout: '0', conditions })).rejects.toThrow(/^Failed to wait/)
  })
})
