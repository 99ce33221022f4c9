import { request as httpsRequest } from 'node:https'
import { connect } from 'node:tls'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { makeServingCertificate } from '../../../src/webhooks/certificate.ts'
import { type AdmissionServer, startAdmissionServer } from '../../../src/webhooks/server.ts'

const now = Date.now()
const hour = 3_600_000
const aCertificate = (): ReturnType<typeof makeServingCertificate> =>
  makeServingCertificate({ hosts: ['holdfast.test', '127.0.0.1'], fromMs: now - hour, untilMs: now + hour })

const first = aCertificate()
let server: AdmissionServer
let seen: string[] = []

beforeEach(async () => {
  seen = []
  server = await startAdmissionServer({
    port: 0,
    certificate: first,
    judges: {
      '/check': () => ({ refusal: 'no', warnings: [] }),
      '/defect': () => {
        throw new Error('boom')
      },
    },
    onAnswer: (request, verdict, error) => seen.push(`${request.uid} ${verdict.refusal ?? 'in'} ${String(error)}`),
  })
})
afterEach(() => server.close())

const review = JSON.stringify({ apiVersion: 'admission.k8s.io/v1', request: { uid: 'u', operation: 'CREATE', object: {} } })

function post(path: string, body: string, method = 'POST', ca = first.ca): Promise<{ code: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = httpsRequest({ host: '127.0.0.1', port: server.port, path, method, ca, agent: false }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve({ code: response.statusCode, text }))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

describe('the server of the webhook', () => {
  test('answers a review at its path', async () => {
    const { code, text } = await post('/check?timeout=3s', review)

    expect(code).toBe(200)
    expect(JSON.parse(text)).toMatchObject({ response: { uid: 'u', allowed: false } })
    expect(seen).toEqual(['u no undefined'])
  })

  test('lets in, with a warning, what a defect of ours keeps from being checked', async () => {
    const { text } = await post('/defect', review)

    expect(JSON.parse(text)).toMatchObject({ response: { allowed: true, warnings: [expect.stringContaining('failed')] } })
    expect(seen).toEqual(['u in Error: boom'])
  })

  test.each([
    ['another path', '/other', review, 'POST', 404],
    ['a name that every object has', '/constructor', review, 'POST', 404],
    ['another method', '/check', '', 'GET', 405],
    ['no review', '/check', '{}', 'POST', 400],
    ['a body beyond all bounds', '/check', 'x'.repeat(9_000_000), 'POST', 413],
  ])('%s is turned away', async (_what, path, body, method, code) => {
    const answer = await post(path, body, method).catch(() => ({ code: 413 })) // The rest of a giant is not read.

    expect(answer.code).toBe(code)
    expect(seen).toEqual([])
  })

  test('a caller that trusts another authority is not answered', async () => {
    await expect(post('/check', review, 'POST', aCertificate().ca)).rejects.toThrow(/certificate/)
  })

  test('a new certificate counts from the next connection on', async () => {
    const second = aCertificate()
    const open = connect({ host: '127.0.0.1', port: server.port, ca: first.ca })
    await new Promise((resolve) => open.once('secureConnect', resolve))

    server.useCertificate(second)

    expect((await post('/check', review, 'POST', second.ca)).code).toBe(200)
    await expect(post('/check', review)).rejects.toThrow(/certificate/)
    expect(open.destroyed).toBe(false)
    open.destroy()
  })
})
