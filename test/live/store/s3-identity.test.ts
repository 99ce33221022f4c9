import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { S3Store } from '../../../src/store/s3.ts'
import type { S3Credentials, S3Settings } from '../../../src/store/s3/settings.ts'
import { chunksOf, cut, hashOf, patterned, sha256 } from '../../conformance/object-store.ts'
import { type FaultProxy, type ProxiedRequest, startFaultProxy } from '../../harness/s3/fault-proxy.ts'
import { type FakeSts, startFakeSts } from '../../harness/s3/fake-sts.ts'
import { useTestBuckets } from '../../harness/s3/test-buckets.ts'
import { useWorld } from '../../harness/world/fixtures.ts'

const world = useWorld()
const buckets = useTestBuckets(world)
const role = 'arn:aws:iam::123456789012:role/backup'
const keys = { accessKeyId: 'AKIAMASTER', secretAccessKey: 'master' }
const hour = 3_600_000
const large = patterned(20 * 1024 * 1024)

let proxy: FaultProxy
let settings: S3Settings
let sts: FakeSts
beforeAll(async () => {
  proxy = await startFaultProxy(world().s3.endpoint)
  settings = { ...(await buckets.create()), endpoint: proxy.endpoint, checksums: 'off' }
})
afterAll(async () => {
  await proxy?.stop()
})
beforeEach(() => proxy.reset())
afterEach(async () => {
  vi.unstubAllEnvs()
  await sts?.stop()
})

async function startSts(lifeMs: number, more: { readonly sessionToken?: string } = {}): Promise<FakeSts> {
  const { accessKey, secretKey } = world().s3
  sts = await startFakeSts({ accessKeyId: accessKey, secretAccessKey: secretKey, lifeMs, ...more })
  return sts
}

const open = (credentials: S3Credentials): S3Store => new S3Store({ ...settings, credentials })
const isPart = ({ method, query }: ProxiedRequest): boolean => method === 'PUT' && query.has('partNumber')

test('a role is assumed once, with the keys of the Secret', async () => {
  const { endpoint, calls } = await startSts(hour)
  await using store = open({ role, keys, stsEndpoint: endpoint })

  await store.put('role', Buffer.from('x'))
  await store.get('role')

  expect(calls).toHaveLength(1)
  expect(Object.fromEntries(calls[0] ?? [])).toMatchObject({
    Action: 'AssumeRole',
    RoleArn: role,
    RoleSessionName: 'holdfast',
    DurationSeconds: '3600',
  })
})

test("a role's session token goes with the request", async () => {
  const { endpoint } = await startSts(hour, { sessionToken: 'of-the-role' })
  await using store = open({ role, keys, stsEndpoint: endpoint })
  proxy.inject({ when: () => true, times: 9, act: { answer: 403, code: 'AccessDenied' } })

  await expect(store.put('token', Buffer.from('x'))).rejects.toMatchObject({ code: 'STORE_DENIED' })

  expect(proxy.seen.map(({ headers }) => headers['x-amz-security-token'])).toEqual(['of-the-role'])
})

test('credentials that are about to end are renewed in the middle of an upload', async () => {
  // Less than the five minutes before the end at which the SDK renews.
  const { endpoint, calls } = await startSts(60_000)
  await using store = open({ role, keys, stsEndpoint: endpoint })

  await store.putStream('renewed', chunksOf(cut(large, [1_000_000])))

  expect(await hashOf(store.getStream('renewed'))).toBe(sha256(large))
  expect(calls.length).toBeGreaterThan(1)
})

test('a token that the store calls expired before its time is replaced, and the part sent again', async () => {
  const { endpoint, calls } = await startSts(hour)
  await using store = open({ role, keys, stsEndpoint: endpoint })
  proxy.inject({ when: isPart, act: { answer: 400, code: 'ExpiredToken' } })

  await store.putStream('expired', chunksOf(cut(large, [1_000_000])))

  expect(await hashOf(store.getStream('expired'))).toBe(sha256(large))
  expect(calls).toHaveLength(2)
})

test('a token that stays expired fails cleanly, and nothing is left', async () => {
  const { endpoint } = await startSts(hour)
  await using store = open({ role, keys, stsEndpoint: endpoint })
  proxy.inject({ when: isPart, times: 1000, act: { answer: 400, code: 'ExpiredToken' } })

  await expect(store.putStream('gone', chunksOf(cut(large, [1_000_000])))).rejects.toMatchObject({ code: 'STORE_DENIED' })

  expect(await buckets.openUploads(settings.bucket)).toEqual([])
})

test('without keys the web identity of the pod is used', async () => {
  const { endpoint, calls } = await startSts(hour)
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-token-'))
  writeFileSync(join(folder, 'token'), 'projected-token')
  vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', join(folder, 'token'))
  vi.stubEnv('AWS_ROLE_ARN', role)
  await using store = open({ stsEndpoint: endpoint })

  await store.put('irsa', Buffer.from('x'))

  expect(Object.fromEntries(calls[0] ?? [])).toMatchObject({
    Action: 'AssumeRoleWithWebIdentity',
    RoleArn: role,
    WebIdentityToken: 'projected-token',
  })
  rmSync(folder, { recursive: true })
})

test('without keys and without an identity it is said what to do', async () => {
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
  vi.stubEnv('HOME', '/nonexistent')
  await using store = open({})

  await expect(store.put('x', Buffer.from('x'))).rejects.toMatchObject({
    code: 'STORE_DENIED',
    message: expect.stringContaining("bind a role to the engine's service account") as string,
  })
})
