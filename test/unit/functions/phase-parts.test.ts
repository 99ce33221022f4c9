import { expect, test } from 'vitest'
import { eachPart, partContexts } from '../../../src/functions/phase-parts.ts'
import { FakeApi } from '../../build/fake-api.ts'
import { aFunctionContext } from '../../build/function-context.ts'

const kube = new FakeApi().kube()

test('each part has its own checkpoint and names, and finds them again', async () => {
  const first = aFunctionContext({ kube })
  const partOf = partContexts(first.ctx, ['a', 'b'])
  await partOf('a').checkpoint({ step: 1 })
  await partOf('b').checkpoint({ step: 2 })
  const resumed = first.checkpoints.at(-1)

  const again = partContexts(aFunctionContext({ kube, resumed }).ctx, ['a', 'b'])

  expect(resumed).toEqual({ parts: { a: { step: 1 }, b: { step: 2 } } })
  expect([again('a').resumed, again('b').resumed]).toEqual([{ step: 1 }, { step: 2 }])
  expect(again('a').deriveName('p-')).toBe(partOf('a').deriveName('p-'))
  expect(again('a').deriveName('p-')).not.toBe(again('b').deriveName('p-'))
  expect(again('a').deriveName('restore-data-all-').length).toBeLessThanOrEqual(63)
})

test('a checkpoint of something else is no checkpoint of parts', () => {
  const { ctx } = aFunctionContext({ kube, resumed: { step: 'created' } })

  expect(partContexts(ctx, ['a'])('a').resumed).toBeUndefined()
})

test('progress is added up over the parts', () => {
  const { ctx, progress } = aFunctionContext({ kube })
  const partOf = partContexts(ctx, ['a', 'b'])

  partOf('a').progress({ sizeDownloadedB: 10, progressPercent: '50' })
  partOf('b').progress({ sizeDownloadedB: 5 })
  partOf('b').progress({ sizeUploadedB: 1, progressPercent: '99' })

  expect(progress).toEqual([
    { sizeDownloadedB: 10, progressPercent: '25' },
    { sizeDownloadedB: 15, progressPercent: '25' },
    { sizeDownloadedB: 15, sizeUploadedB: 1, progressPercent: '74' },
  ])
})

test('the first failure ends the other parts and is thrown', async () => {
  const { ctx } = aFunctionContext({ kube })
  const ended: unknown[] = []

  const all = eachPart(ctx, ['a', 'b', 'c'], 2, async (part, name) => {
    if (name === 'b') throw new Error('b failed')
    await new Promise((resolve) => part.signal.addEventListener('abort', resolve))
    ended.push(name)
  })

  await expect(all).rejects.toThrow('b failed')
  expect(ended).toEqual(['a'])
})
