import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Kube } from '../../../src/kube/kube.ts'
import { FakeApi, type FakeRequest, sendJson, sendStatus } from './fake-api.ts'

let api: FakeApi
let kube: Kube
let ended: boolean
/** One per opening of the log. */
let openings: Array<(response: ServerResponse) => void>
let logRequests: FakeRequest[]
/** So many openings meet a kubelet that does not know the pod yet. */
let strangers: number

const pod = { namespace: 'n', name: 'p' }

beforeEach(async () => {
  api = await FakeApi.start()
  kube = api.kube()
  ended = false
  openings = []
  logRequests = []
  strangers = 0
  api.answer = (request, response) => {
    if (request.path.endsWith('/log')) {
      logRequests.push(request)
      if (strangers-- > 0)
        return sendStatus(response, 404, { message: 'the server could not find the requested resource ( pods/log p)' })
      response.writeHead(200)
      response.flushHeaders()
      return openings.shift()?.(response)
    }
    const state = ended ? { terminated: { exitCode: 0 } } : { running: {} }
    const object = {
      metadata: { ...pod, resourceVersion: '1' },
      spec: { containers: [{ name: 'c' }] },
      status: { phase: 'Running', containerStatuses: [{ name: 'c', state }] },
    }
    if (request.path.endsWith('/pods')) sendJson(response, { metadata: { resourceVersion: '1' }, items: [object] })
    else sendJson(response, object)
  }
})

afterEach(async () => {
  await kube.close()
  await api[Symbol.asyncDispose]()
})

function stamp(second: number, nanos = 0): string {
  return `2026-01-01T00:00:${String(second).padStart(2, '0')}${nanos ? `.${String(nanos).padStart(9, '0')}` : ''}Z`
}

async function read(): Promise<string[]> {
  const lines: string[] = []
  for await (const line of kube.pods.logLines(pod)) lines.push(line)
  return lines
}

it('a log that was cut goes on without a line lost or repeated', async () => {
  openings = [
    (response) => {
      response.write(`${stamp(1)} one\n${stamp(2, 5)} two\n${stamp(2, 5)} three\n${stamp(2, 7)} cut in the mid`)
      setImmediate(() => response.destroy())
    },
    (response) => {
      ended = true
      response.end(`${stamp(2, 5)} two\n${stamp(2, 5)} three\n${stamp(2, 5)} four\n${stamp(2, 7)} cut in the middle\n`)
    },
    (response) => response.end(`${stamp(2, 7)} cut in the middle\n${stamp(3)} last`),
  ]

  expect(await read()).toEqual(['one', 'two', 'three', 'four', 'cut in the middle', 'last'])
  expect(logRequests.map(({ query }) => query.get('sinceTime'))).toEqual([null, stamp(2), stamp(2)])
})

it('a log that a kubelet does not know which has just started is asked for again', async () => {
  strangers = 2
  openings = [
    (response) => {
      ended = true
      response.end(`${stamp(1)} one\n`)
    },
    (response) => response.end(`${stamp(1)} one\n`),
  ]

  expect(await read()).toEqual(['one'])
  expect(logRequests).toHaveLength(4)
})

it('a log that the kubelet ends in the middle of a line is read again from there', async () => {
  openings = [
    (response) => response.end(`${stamp(1)} one\n${stamp(2)} hal`),
    (response) => {
      ended = true
      response.end(`${stamp(1)} one\n${stamp(2)} half\n`)
    },
    (response) => response.end(`${stamp(2)} half\n`),
  ]

  expect(await read()).toEqual(['one', 'half'])
})

it('a log of which unread lines were rotated away is a failure', async () => {
  openings = [
    (response) => {
      response.write(`${stamp(1)} one\n`)
      setImmediate(() => response.destroy())
    },
    (response) => response.end(`${stamp(9)} much later\n`),
  ]

  await expect(read()).rejects.toMatchObject({
    code: 'KUBE_LOG_LOST',
    message: expect.stringContaining('rotated away') as string,
  })
})

it('an empty log of a container that ended is no lines', async () => {
  ended = true
  openings = [(response) => response.end()]

  expect(await read()).toEqual([])
})

it('long lines arrive in pieces, and lines may be empty', async () => {
  ended = true
  openings = [(response) => response.end(`${stamp(1)} ${'x'.repeat(5 << 20)}\n${stamp(2)} \n${stamp(3)} end\n`)]

  const lines = await read()

  expect(lines.slice(-2)).toEqual(['', 'end'])
  expect(lines.slice(0, -2).join('')).toHaveLength(5 << 20)
})
