import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { S3Store } from '../../../src/store/s3.ts'
import { chunksOf, cut, hashOf, patterned, sha256 } from '../../conformance/object-store.ts'
import { type FaultProxy, type ProxiedRequest, startFaultProxy } from '../../harness/s3/fault-proxy.ts'
import { type TestBucket, useTestBuckets } from '../../harness/s3/test-buckets.ts'
import { useWorld } from '../../harness/world/fixtures.ts'

const quick = { attempts: 2, firstMs: 1, maxMs: 5 }
const timing = { retry: quick, patientRetry: quick }
const file = patterned(50 * 1024 * 1024 + 5)
const bytesOf = (bytes: Buffer): AsyncIterable<Uint8Array> => chunksOf(cut(bytes, [1_000_000]))
const isPart = ({ method, query }: ProxiedRequest): boolean => method === 'PUT' && query.has('partNumber')
const isAbort = ({ method, query }: ProxiedRequest): boolean => method === 'DELETE' && query.has('uploadId')
const denied = { answer: 403, code: 'AccessDenied' }

const world = useWorld()
const buckets = useTestBuckets(world)
let proxy: FaultProxy
let settings: TestBucket
beforeAll(async () => {
  proxy = await startFaultProxy(world().s3.endpoint)
})
afterAll(async () => {
  await proxy?.stop()
})
beforeEach(async () => {
  proxy.reset()
  settings = { ...(await buckets.create()), endpoint: proxy.endpoint, timing }
})

/** An upload whose process lost everything after some parts, and could tidy nothing up. */
async function cutOff(store: S3Store): Promise<void> {
  const isLate = (request: ProxiedRequest): boolean => isPart(request) && Number(request.query.get('partNumber')) > 6
  proxy.inject({ when: isLate, times: 1000, act: denied }, { when: isAbort, times: 1000, act: denied })
  await expect(store.putStream('k', bytesOf(file), { resume: true })).rejects.toMatchObject({ code: 'STORE_DENIED' })
  expect(await buckets.openUploads(settings.bucket)).toEqual(['k'])
  proxy.reset()
}

const partsSent = (): number => proxy.seen.filter(isPart).length

test.each(['off', 'required'] as const)('a file goes on where its push was cut off, checksums %s', async (checksums) => {
  await using store = new S3Store({ ...settings, checksums })
  await cutOff(store)

  const { sizeBytes } = await store.putStream('k', bytesOf(file), { resume: true })

  expect(sizeBytes).toBe(file.length)
  expect(partsSent()).toBeLessThanOrEqual(4)
  expect(await hashOf(store.getStream('k'))).toBe(sha256(file))
  expect(await buckets.openUploads(settings.bucket)).toEqual([])
})

test('a file that was changed meanwhile is sent as it is now', async () => {
  await using store = new S3Store({ ...settings, checksums: 'off' })
  await cutOff(store)
  const changed = Buffer.from(file)
  changed.write('changed', 10)

  await store.putStream('k', bytesOf(changed), { resume: true })

  expect(await hashOf(store.getStream('k'))).toBe(sha256(changed))
})

test('a store that lists no uploads takes the file anew', async () => {
  await using store = new S3Store({ ...settings, checksums: 'off' })
  await cutOff(store)
  const isList = ({ method, query }: ProxiedRequest): boolean => method === 'GET' && query.has('uploads')
  proxy.inject({ when: isList, times: 1000, act: { answer: 501, code: 'NotImplemented' } })

  await store.putStream('k', bytesOf(file), { resume: true })

  expect(await hashOf(store.getStream('k'))).toBe(sha256(file))
})
