import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import type { Clock } from '../../../src/base/clock.ts'
import type { KubeClient } from '../../../src/kube/client.ts'
import { kubeError } from '../../../src/kube/errors.ts'
import { kinds } from '../../../src/kube/kinds.ts'
import { reflect } from '../../../src/kube/reflect.ts'

test('a quiet watch that is cut now and then is repaired at once, also after many times', async () => {
  let nowMs = 0
  const slept: number[] = []
  const end = new AbortController()
  const sleep = async (ms: number): Promise<void> => {
    nowMs += ms
    if (slept.push(ms) === 12) end.abort(new Error('seen enough'))
  }
  const clock: Clock = { now: () => nowMs, sleep }
  let watches = 0
  const client = {
    server: 'test',
    request: () => Promise.resolve({ items: [], metadata: { resourceVersion: '1' } }),
    stream: () => {
      if (watches++ % 2 === 0) return Promise.reject(kubeError('KUBE_UNREACHABLE', 'cut'))
      nowMs += 30_000
      return Promise.resolve(Readable.from([]))
    },
  } as unknown as KubeClient // The rest is not asked by a watch.
  const sink = { replace: () => undefined, set: () => undefined, remove: () => undefined, onError: () => undefined }

  await expect(reflect(client, kinds.pods, {}, sink, { signal: end.signal, clock })).rejects.toThrow('seen enough')

  expect(Math.max(...slept)).toBeLessThanOrEqual(200)
})
