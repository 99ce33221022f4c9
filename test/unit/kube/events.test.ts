import { afterEach, beforeEach, expect, it } from 'vitest'
import type { EventSink } from '../../../src/kube/events.ts'
import { FakeApi, sendJson, sendStatus, until } from './fake-api.ts'

let api: FakeApi
let sink: EventSink

const subject = { apiVersion: 'v1', kind: 'Pod', namespace: 'n', name: 'p', uid: 'u' }

beforeEach(async () => {
  api = await FakeApi.start()
  api.answer = ({ body }, response) => sendJson(response, body)
  sink = api.kube().eventSink('me')
})

afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

function messages(): unknown[] {
  return api.requests.map(({ body }) => (body as { message: string }).message)
}

it('events are sent in order, and equal ones that wait are sent once with their count', async () => {
  for (const message of ['a', 'b', 'b', 'b']) sink.send(subject, { type: 'Normal', reason: 'R', message })

  await sink.flush()

  expect(messages()).toEqual(['a', 'b'])
  expect(api.requests[1]?.body).toMatchObject({ count: 3, involvedObject: subject, reportingComponent: 'me', reason: 'R' })
})

it('an event that the server refuses is given up and counted, the next goes out', async () => {
  let refused = false
  api.answer = ({ body }, response) => {
    if (refused) return sendJson(response, body)
    refused = true
    sendStatus(response, 403, { message: 'no' })
  }

  sink.send(subject, { type: 'Warning', reason: 'R', message: 'lost' })
  sink.send(subject, { type: 'Warning', reason: 'R', message: 'sent' })
  await sink.flush()

  expect(sink.dropped).toBe(1)
  expect(messages()).toEqual(['lost', 'sent'])
})

it('a flood drops the oldest and holds a thousand at most', async () => {
  const held: Array<() => void> = []
  api.answer = ({ body }, response) => void held.push(() => sendJson(response, body))
  sink.send(subject, { type: 'Normal', reason: 'R', message: 'first' })
  await until(() => held.length === 1)

  for (let i = 0; i < 1_500; i++) sink.send(subject, { type: 'Normal', reason: 'R', message: `m${i}` })

  expect(sink.dropped).toBe(500)
})

it('a long message is cut within the limit of the API', async () => {
  sink.send(subject, { type: 'Normal', reason: 'R', message: 'ü'.repeat(2_000) })
  await sink.flush()

  const message = String(messages()[0])
  expect(Buffer.byteLength(message)).toBeLessThanOrEqual(1_024)
  expect(message).toMatch(/^ü+…$/)
})

it('a thousand at once leave the API server to the work: half a dozen go out, the rest waits, Warnings before the others', async () => {
  for (let i = 0; i < 400; i++) sink.send(subject, { type: 'Normal', reason: 'R', message: `m${i}` })
  sink.send(subject, { type: 'Warning', reason: 'R', message: 'broken' })
  await until(() => api.requests.length >= 6)

  expect(messages()[0]).toBe('broken')
  expect(api.requests.length).toBeLessThan(100)

  await sink.flush(20_000)

  expect(api.requests).toHaveLength(401)
})
