import { expect, test } from 'vitest'
import { runError } from '../../../src/engine/errors.ts'
import { isHandedOver } from '../../../src/functions/handover.ts'
import { kubeError } from '../../../src/kube/errors.ts'

const late = AbortSignal.abort(runError('RUN_TIMEOUT', 'phase "p" did not end within 5s'))
const fenced = runError('RUN_FENCED', 'the action was given to worker w-1')

test('what an attempt started is left to its successor when its own deadline comes before it knows of one', async () => {
  expect(await isHandedOver({ signal: late, confirm: async () => await Promise.reject(fenced) })).toBe(true)
})

test('what is still its own is cleaned up, also when the server cannot say whose it is', async () => {
  const away = kubeError('KUBE_UNREACHABLE', 'the API server cannot be reached')
  expect(await isHandedOver({ signal: late, confirm: async () => undefined })).toBe(false)
  expect(await isHandedOver({ signal: late, confirm: async () => await Promise.reject(away) })).toBe(false)
})

test('the server is asked at that moment, whatever it said before, and not for long', async () => {
  const asked: unknown[] = []
  await isHandedOver({ signal: late, confirm: async (anew) => void asked.push(anew) })

  expect(asked).toEqual([{ timeoutMs: 2_000 }])
})

test('a worker that shuts down asks nobody', async () => {
  const signal = AbortSignal.abort(runError('RUN_SHUTDOWN', 'the worker ends'))
  const confirm = async (): Promise<void> => await Promise.reject(new Error('asked'))
  expect(await isHandedOver({ signal, confirm })).toBe(true)
})
