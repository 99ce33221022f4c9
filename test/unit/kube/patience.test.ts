import { afterEach, beforeEach, describe, expect, it, test } from 'vitest'
import type { Clock } from '../../../src/base/clock.ts'
import { createExec } from '../../../src/kube/exec/create-exec.ts'
import { createClient } from '../../../src/kube/http-client.ts'
import { FakeApi, type FakeRequest, sendJson, sendStatus } from './fake-api.ts'

let api: FakeApi

beforeEach(async () => {
  api = await FakeApi.start()
})

afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

/** Waits cost nothing but the time that it shows. */
function fastClock(): Clock {
  let now = 0
  return {
    now: () => now,
    sleep: (ms, signal) => {
      signal?.throwIfAborted()
      now += ms
      return Promise.resolve()
    },
  }
}

const pods = '/api/v1/namespaces/n/pods'
const get = { method: 'GET', path: `${pods}/p` } as const
const create = { method: 'POST', path: pods, body: { metadata: { name: 'p' } } } as const
const exists = { reason: 'AlreadyExists', message: 'pods "p" already exists' }

type Fault = (request: FakeRequest, response: Parameters<FakeApi['answer']>[1]) => void

const faults: readonly (readonly [string, Fault])[] = [
  ['429 with Retry-After', (_request, response) => sendStatus(response, 429, { message: 'slow' }, { 'retry-after': '3' })],
  ['500 of etcd', (_request, response) => sendStatus(response, 500, { message: 'etcdserver: leader changed' })],
  ['502', (_request, response) => sendStatus(response, 502, { message: 'bad gateway' })],
  ['503', (_request, response) => sendStatus(response, 503, { message: 'not now' })],
  ['504', (_request, response) => sendStatus(response, 504, { message: 'late' })],
  ['a reset', (_request, response) => void response.destroy()],
]

describe.each(faults)('%s', (_name, fault) => {
  /** The first few answers are faults, before or after the request was carried out. */
  function serve({ applied }: { readonly applied: boolean }): void {
    const there = new Set<string>()
    let left = 3
    const apply = (method: string): (() => [number, object]) => {
      if (method === 'GET') return () => [200, { there: there.size }]
      if (method === 'DELETE') return () => [there.delete('p') ? 200 : 404, { reason: 'NotFound', message: 'gone' }]
      return () => (there.has('p') && method === 'POST' ? [409, exists] : (there.add('p'), [201, { made: true }]))
    }
    api.answer = (request, response) => {
      const faulty = left-- > 0
      if (faulty && !applied) return fault(request, response)
      const [code, body] = apply(request.method)()
      if (faulty) return fault(request, response)
      if (code < 300) sendJson(response, body)
      else sendStatus(response, code, body)
    }
  }

  test.each(['GET', 'PUT', 'PATCH', 'DELETE'] as const)('does not fail a %s', async (method) => {
    serve({ applied: false })

    await createClient(api.endpoint, fastClock())
      .patient.request({ method, path: `${pods}/p`, body: {} })
      .catch((error: unknown) => expect(error).toMatchObject({ code: 'KUBE_NOT_FOUND' }))

    expect(api.requests).toHaveLength(4)
  })

  it('does not fail a create, were it carried out or not', async () => {
    const client = createClient(api.endpoint, fastClock()).patient
    serve({ applied: false })
    expect(await client.request(create)).toEqual({ made: true })

    serve({ applied: true })
    const lost = client.request(create)
    // A 429 promises that nothing was done; a server that lies is told so at once.
    const throttled = _name.startsWith('429')
    await expect(lost).rejects.toMatchObject({ code: 'KUBE_ALREADY_EXISTS' })
    if (!throttled) await expect(lost).rejects.toMatchObject({ details: { mayBeOurs: true } })
  })
})

describe('a request that is asked about before each try', () => {
  it('is not repeated when the asker says no meanwhile', async () => {
    api.answer = (_request, response) => void response.destroy()
    let asked = 0
    const beforeTry = async (): Promise<void> => {
      if (++asked === 3) throw new Error('somebody else has done it')
    }

    await expect(createClient(api.endpoint, fastClock()).patient.request(create, { beforeTry })).rejects.toThrow(
      'somebody else has done it',
    )

    expect(api.requests).toHaveLength(2)
  })
})

describe('a patient client', () => {
  it('lives through some minutes without an answer, and says so when they are over', async () => {
    const clock = fastClock()
    const client = createClient(api.endpoint, clock)
    api.answer = (_request, response) => sendStatus(response, 503, { message: 'starting' })

    await expect(client.request(get)).rejects.toMatchObject({ code: 'KUBE_SERVER' })
    const plain = clock.now()
    await expect(client.patient.request(get)).rejects.toMatchObject({ code: 'KUBE_SERVER' })

    expect(plain).toBeLessThanOrEqual(60_000)
    expect(clock.now() - plain).toBeGreaterThan(9 * 60_000)
  })

  it.each([400, 403, 404, 409, 410, 422])('hears a refusal at once (%d)', async (code) => {
    const clock = fastClock()
    api.answer = (_request, response) => sendStatus(response, code, { reason: code === 409 ? 'AlreadyExists' : 'No' })

    await expect(createClient(api.endpoint, clock).patient.request(create)).rejects.toMatchObject({ next: expect.any(String) })

    expect(api.requests).toHaveLength(1)
    expect(clock.now()).toBe(0)
  })

  it('gives a bare 500, such as of a webhook, a minute only', async () => {
    const clock = fastClock()
    api.answer = (_request, response) => sendStatus(response, 500, { message: 'failed calling webhook "w"' })

    await expect(createClient(api.endpoint, clock).patient.request(create)).rejects.toMatchObject({ code: 'KUBE_SERVER' })

    expect(clock.now()).toBeLessThanOrEqual(60_000)
  })

  it('repeats no create that names nothing, since nobody could tell whose it is', async () => {
    api.answer = (_request, response) => sendStatus(response, 503, { message: 'not now' })
    const unnamed = { ...create, body: { metadata: { generateName: 'p-' } } }

    await expect(createClient(api.endpoint, fastClock()).patient.request(unnamed)).rejects.toMatchObject({
      code: 'KUBE_SERVER',
    })

    expect(api.requests).toHaveLength(1)
  })

  it('repeats a create that met a conflict of the server with itself, and no write against a version', async () => {
    let left = 2
    const quota = { reason: 'Conflict', message: 'Operation cannot be fulfilled on resourcequotas "q"' }
    api.answer = (_request, response) => (left-- > 0 ? sendStatus(response, 409, quota) : sendJson(response, { made: true }))
    const client = createClient(api.endpoint, fastClock())

    expect(await client.request(create)).toEqual({ made: true })
    left = 1
    const put = { method: 'PUT', path: `${pods}/p`, body: { metadata: { name: 'p', resourceVersion: '1' } } } as const
    await expect(client.request(put)).rejects.toMatchObject({ code: 'KUBE_CONFLICT' })
  })
})

test.each([500, 503])('the start of a command is tried again while nothing of it can have run (%d)', async (code) => {
  const answers = [
    { code, message: 'etcdserver: leader changed' },
    { code: 502, message: 'bad gateway' },
    { code: 404, message: 'pods "p" not found' },
  ]
  // Of each refusal the server reads the code twice and the message once.
  const reads = { code: 0, message: 0 }
  const answer = (index: number): { readonly code: number; readonly message: string } => answers[Math.min(index, 2)] ?? never()
  api.refuse = {
    get code() {
      return answer(Math.floor(reads.code++ / 2)).code
    },
    get message() {
      return answer(reads.message++).message
    },
  }
  const exec = createExec(api.client())
  const target = { namespace: 'n', pod: 'p', container: 'c' }

  await expect(exec.keep(target, ['x'], { name: 'n' })).rejects.toMatchObject({ code: 'KUBE_NOT_FOUND' })
  expect(reads.message).toBe(3)
})

function never(): never {
  throw new Error('there are three answers')
}
