import { expect, test } from 'vitest'
import { startHealthServer } from '../../../src/main/health-server.ts'

test('a process that is not ready says why, and what to do', async () => {
  let reason: string | undefined = 'the API server has no CRD of Verification: kubectl apply -f x.yaml'
  const server = await startHealthServer({
    port: 0,
    livenessPath: '/live',
    readinessPath: '/ready',
    whyNotReady: () => reason,
    metrics: () => Promise.resolve(''),
  })
  const ask = async (): Promise<unknown> => {
    const answer = await fetch(`http://127.0.0.1:${server.port}/ready`, { headers: { connection: 'close' } })
    return { code: answer.status, body: await answer.json() }
  }

  expect(await ask()).toEqual({ code: 503, body: { status: 'not ready', reason } })
  reason = undefined
  expect(await ask()).toEqual({ code: 200, body: { status: 'ready' } })
  await server.close()
})
