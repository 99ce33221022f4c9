import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openStore } from '../../../src/store/location.ts'
import { decodeProfile } from '../../../src/store/profile-json.ts'
import { type FaultProxy, startFaultProxy } from '../../harness/s3/fault-proxy.ts'
import { useTestBuckets } from '../../harness/s3/test-buckets.ts'
import { useWorld } from '../../harness/world/fixtures.ts'

const world = useWorld()
const buckets = useTestBuckets(world)

let proxy: FaultProxy
let certificate: string
let bucket: string
beforeAll(async () => {
  const made = makeCertificate()
  certificate = made.cert
  proxy = await startFaultProxy(world().s3.endpoint, made)
  bucket = (await buckets.create()).bucket
})
afterAll(async () => {
  await proxy?.stop()
})

/** A certificate for 127.0.0.1 that nobody has signed. */
function makeCertificate(): { cert: string; key: string } {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-tls-'))
  const [cert, key] = [join(folder, 'cert'), join(folder, 'key')]
  const names = ['-subj', '/CN=s3', '-addext', 'subjectAltName=IP:127.0.0.1']
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...names, '-out', cert, '-keyout', key],
    { stdio: 'ignore' },
  )
  const made = { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
  rmSync(folder, { recursive: true })
  return made
}

function open(change: { readonly location?: object; readonly skip?: boolean }) {
  const { accessKey, secretKey, region } = world().s3
  return openStore(
    decodeProfile({
      Location: { type: 's3Compliant', bucket, endpoint: proxy.endpoint, region, ...change.location },
      // With the newline that `echo` leaves in many Secrets.
      Credential: { Type: 'keyPair', KeyPair: { ID: accessKey, Secret: `${secretKey}\n` } },
      SkipSSLVerify: change.skip ?? false,
    }),
  )
}

test('a certificate that nobody trusts is refused, with the ways out', async () => {
  await using store = open({})

  await expect(store.put('k', Buffer.from('x'))).rejects.toMatchObject({
    code: 'STORE_UNTRUSTED',
    message: expect.stringMatching(/caBundle.*skipSSLVerify/),
  })
})

test('skipSSLVerify accepts it', async () => {
  await using store = open({ skip: true })

  await store.put('k', Buffer.from('skipped'))

  expect(Buffer.from(await store.get('k')).toString()).toBe('skipped')
})

test('a CA bundle in the Profile makes it trusted', async () => {
  await using store = open({ location: { caBundle: certificate } })

  await store.put('k', Buffer.from('trusted'))

  expect(Buffer.from(await store.get('k')).toString()).toBe('trusted')
})

test('http spoken to a TLS port is said to be that', async () => {
  await using store = open({ location: { endpoint: proxy.endpoint.replace('https', 'http') } })

  await expect(store.put('k', Buffer.from('x'))).rejects.toMatchObject({
    code: expect.stringMatching(/^STORE_(UNREACHABLE|UNAVAILABLE)$/),
  })
})
