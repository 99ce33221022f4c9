import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Clock } from '../../../src/base/clock.ts'
import { tokenFileCredentials } from '../../../src/kube/credentials.ts'
import { createClient } from '../../../src/kube/http-client.ts'
import { kinds } from '../../../src/kube/kinds.ts'
import { createResourceApi } from '../../../src/kube/resources.ts'
import { FakeApi, sendJson, sendStatus } from './fake-api.ts'

let api: FakeApi

beforeEach(async () => {
  api = await FakeApi.start()
})

afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

/** Waits cost nothing and are written down. */
function fastClock(): Clock & { readonly sleeps: number[] } {
  const sleeps: number[] = []
  let now = 0
  return {
    sleeps,
    now: () => now,
    sleep: (ms, signal) => {
      signal?.throwIfAborted()
      sleeps.push(ms)
      now += ms
      return Promise.resolve()
    },
  }
}

const get = { method: 'GET', path: '/api/v1/pods' } as const
const post = { method: 'POST', path: '/api/v1/pods', body: {} } as const

describe('a request', () => {
  it('is repeated after transient failures until it succeeds', async () => {
    const codes = [503, 500, 429]
    api.answer = (_request, response) => {
      const code = codes.shift()
      if (code) sendStatus(response, code, { message: 'not now' })
      else sendJson(response, { ok: true })
    }
    const client = createClient(api.endpoint, fastClock())

    expect(await client.request(get)).toEqual({ ok: true })
    expect(api.requests).toHaveLength(4)
  })

  it('that may have been carried out is not repeated when it creates', async () => {
    api.answer = (_request, response) => sendStatus(response, 503, { message: 'etcd is away' })
    const client = createClient(api.endpoint, fastClock())

    await expect(client.request(post)).rejects.toMatchObject({ code: 'KUBE_SERVER', message: 'etcd is away', next: 'retry' })
    expect(api.requests).toHaveLength(1)
  })

  it('waits as long as the server asks when it is throttled, also when it creates', async () => {
    let first = true
    api.answer = (_request, response) => {
      if (first) sendStatus(response, 429, { message: 'too many' }, { 'retry-after': '7' })
      else sendJson(response, { ok: true })
      first = false
    }
    const clock = fastClock()

    await createClient(api.endpoint, clock).request(post)

    expect(clock.sleeps).toEqual([7000])
  })

  it('gives up when its time is over, with the last failure', async () => {
    api.answer = (_request, response) => sendStatus(response, 500, { message: 'etcdserver: leader changed' })
    const clock = fastClock()

    await expect(createClient(api.endpoint, clock).request(get, { timeoutMs: 3_000 })).rejects.toMatchObject({
      code: 'KUBE_SERVER',
    })
    expect(clock.now()).toBeLessThanOrEqual(3_000)
  })

  it('that gets no answer ends in time', async () => {
    api.answer = () => undefined

    await expect(api.client().request(get, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'KUBE_TIMEOUT' })
  })

  it('ends with the reason of its signal', async () => {
    const abort = new AbortController()
    const reason = new Error('no more need')
    api.answer = () => abort.abort(reason)

    await expect(api.client().request(get, { signal: abort.signal })).rejects.toBe(reason)
  })

  it('to a server that is away says so', async () => {
    const { endpoint } = api
    await api[Symbol.asyncDispose]()
    const away = createClient(endpoint).request(get, { retry: false })
    api = await FakeApi.start()

    await expect(away).rejects.toMatchObject({
      code: 'KUBE_UNREACHABLE',
      message: expect.stringContaining(endpoint.server) as string,
    })
  })

  it('reads a replaced service-account token anew when the old one is refused', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
    const file = join(folder, 'token')
    await writeFile(file, 'old\n')
    api.answer = async (request, response) => {
      if (request.headers.authorization === 'Bearer new') return sendJson(response, { ok: true })
      await writeFile(file, 'new\n')
      sendStatus(response, 401, { message: 'Unauthorized' })
    }
    const client = createClient({ ...api.endpoint, credentials: tokenFileCredentials(file) })

    expect(await client.request(post)).toEqual({ ok: true })
    await rm(folder, { recursive: true })
  })

  it.each([
    [404, 'NotFound', 'KUBE_NOT_FOUND'],
    [409, 'AlreadyExists', 'KUBE_ALREADY_EXISTS'],
    [409, 'Conflict', 'KUBE_CONFLICT'],
    [410, 'Expired', 'KUBE_GONE'],
    [422, 'Invalid', 'KUBE_INVALID'],
    [413, 'RequestEntityTooLarge', 'KUBE_TOO_LARGE'],
    [401, 'Unauthorized', 'KUBE_UNAUTHORIZED'],
  ])('answered by %i %s is %s, in the words of the server', async (code, reason, expected) => {
    api.answer = (_request, response) => sendStatus(response, code, { reason, message: 'the words' })

    await expect(api.client().request(post)).rejects.toMatchObject({ code: expected, message: 'the words' })
  })

  it('refused for lack of a right names the rule to add; refused by a quota it does not', async () => {
    const texts = [
      'secrets is forbidden: User "system:serviceaccount:holdfast:engine" cannot list resource "secrets" in API group "" in the namespace "app"',
      'pods "x" is forbidden: exceeded quota: q',
    ]
    api.answer = (_request, response) => sendStatus(response, 403, { reason: 'Forbidden', message: texts.shift() })

    await expect(api.client().request(get)).rejects.toThrow('{apiGroups: [""], resources: ["secrets"], verbs: ["list"]}')
    await expect(api.client().request(get)).rejects.toThrow(/exceeded quota: q$/)
  })
})

describe('a collection', () => {
  it('is listed page by page, and items know their kind', async () => {
    api.answer = ({ query }, response) => {
      const next = query.get('continue')
      const metadata = { resourceVersion: '9', ...(next === null && { continue: 'token' }) }
      sendJson(response, { metadata, items: [{ metadata: { name: next === null ? 'a' : 'b' } }] })
    }

    const list = await createResourceApi(api.client(), kinds.secrets).list({ namespace: 'n', pageSize: 1 })

    expect(list.resourceVersion).toBe('9')
    expect(list.items.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual(['Secret a', 'Secret b'])
    expect(api.requests.map(({ path, query }) => `${path}?${query.toString()}`)).toEqual([
      '/api/v1/namespaces/n/secrets?limit=1',
      '/api/v1/namespaces/n/secrets?limit=1&continue=token',
    ])
  })

  it('is updated anew on each conflict', async () => {
    let version = 0
    api.answer = ({ method, body }, response) => {
      if (method === 'GET')
        return sendJson(response, { metadata: { name: 's', namespace: 'n', resourceVersion: `${++version}` } })
      if (version < 3) return sendStatus(response, 409, { reason: 'Conflict', message: 'changed' })
      sendJson(response, body)
    }
    const secrets = createResourceApi(api.client(), kinds.secrets)

    const result = await secrets.update({ namespace: 'n', name: 's' }, (secret) => ({ ...secret, type: 'x' }))

    expect(result).toMatchObject({ type: 'x', metadata: { resourceVersion: '3' } })
  })
})
