import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { backupAccess } from '../../../src/main/backup-access.ts'
import { repoAccess } from '../../../src/main/repo-access.ts'
import { makeServingCertificate } from '../../../src/webhooks/certificate.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-trust-'))
const caFile = join(folder, 'ca.pem')
let server: Server
let url: string

/** A store of a private authority in which nothing is. */
beforeAll(async () => {
  const nowMs = Date.now()
  const { ca, cert, key } = makeServingCertificate({ hosts: ['127.0.0.1'], fromMs: nowMs - 60_000, untilMs: nowMs + 3_600_000 })
  writeFileSync(caFile, ca)
  server = createServer({ cert, key }, (_request, response) => {
    response.writeHead(404, { 'content-type': 'application/xml' })
    response.end('<Error><Code>NoSuchKey</Code><Message>not there</Message></Error>')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `s3:https://127.0.0.1:${(server.address() as AddressInfo).port}/bucket/there`
})

afterAll(() => {
  server.closeAllConnections()
  server.close()
  rmSync(folder, { recursive: true, force: true })
})

const ways = {
  env: { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret', HOLDFAST_REPO_PASSWORD: 'p' },
  output: { out: () => {}, err: () => {}, live: false },
  signal: new AbortController().signal,
  openKube: () => Promise.reject(new Error('no cluster is asked')),
}

/** What is said of an object that is not there. */
async function codeAtLocation(flags: object): Promise<unknown> {
  await using opened = await backupAccess(ways).open({ location: url, output: 'table', ...flags })
  return await opened.place.location.get('nothing').then(() => 'there', codeOf)
}

function codeAtRepo(flags: object): Promise<unknown> {
  return repoAccess(ways)
    .open({ repo: url, output: 'table', ...flags })
    .then(() => 'there', codeOf)
}

function codeOf(error: unknown): unknown {
  return (error as { code?: string }).code
}

test('the certificate of a private authority is refused', async () => {
  expect(await codeAtLocation({})).toBe('STORE_UNTRUSTED')
  expect(await codeAtRepo({})).toBe('STORE_UNTRUSTED')
})

test.each([
  ['the file of its authority', () => ({ caFile })],
  ['--insecure-tls', () => ({ insecureTls: true })],
])('it is trusted by %s', async (_how, flags) => {
  expect(await codeAtLocation(flags())).toBe('STORE_NOT_FOUND')
  expect(await codeAtRepo(flags())).toBe('REPOSITORY_NOT_FOUND')
})

test('a file that is not there or holds no certificate is refused by name', async () => {
  const empty = join(folder, 'empty.pem')
  writeFileSync(empty, 'ssh-ed25519 AAAA')

  await expect(codeAtLocation({ caFile: join(folder, 'gone.pem') })).rejects.toThrow(/--ca-file cannot be read: .*gone\.pem/)
  await expect(codeAtLocation({ caFile: empty })).rejects.toThrow(/empty\.pem holds no certificate/)
})
