import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { messageOf } from '../../../src/base/errors.ts'
import { S3Store } from '../../../src/store/s3.ts'
import type { S3Settings } from '../../../src/store/s3/settings.ts'
import { chunksOf, cut, hashOf, keysBelow, patterned, sha256 } from '../../conformance/object-store.ts'
import { type FaultAct, type FaultProxy, type ProxiedRequest, startFaultProxy } from '../../harness/s3/fault-proxy.ts'
import { useTestBuckets } from '../../harness/s3/test-buckets.ts'
import { useWorld } from '../../harness/world/fixtures.ts'

const quick = { attempts: 4, firstMs: 1, maxMs: 5 }
// A store on a busy machine is silent for a second, too.
const timing = { idleMs: 1_500, connectMs: 2_000, retry: quick, patientRetry: quick, graceMs: 200 }

const isPut = ({ method, query }: ProxiedRequest): boolean => method === 'PUT' && !query.has('uploadId')
const isPart = ({ method, query }: ProxiedRequest): boolean => method === 'PUT' && query.has('partNumber')
const isComplete = ({ method, query }: ProxiedRequest): boolean => method === 'POST' && query.has('uploadId')
const isGet = ({ method, query }: ProxiedRequest): boolean => method === 'GET' && !query.has('list-type')
const isBatchDelete = ({ method, query }: ProxiedRequest): boolean => method === 'POST' && query.has('delete')
const isDelete = ({ method, query }: ProxiedRequest): boolean => method === 'DELETE' && !query.has('uploadId')
const hasChecksum = ({ headers }: ProxiedRequest): boolean =>
  Object.keys(headers).some((name) => name.startsWith('x-amz-checksum-') || name === 'x-amz-sdk-checksum-algorithm')

const slowDown: FaultAct = { answer: 503, code: 'SlowDown' }
const internal: FaultAct = { answer: 500, code: 'InternalError' }

const world = useWorld()
const buckets = useTestBuckets(world)
let proxy: FaultProxy
let direct: S3Settings
let store: S3Store
beforeAll(async () => {
  proxy = await startFaultProxy(world().s3.endpoint)
})
afterAll(async () => {
  await proxy?.stop()
})
beforeEach(async () => {
  proxy.reset()
  direct = await buckets.create()
  store = open({})
})
afterEach(async () => {
  await store.close()
})

function open(settings: Partial<S3Settings>): S3Store {
  return new S3Store({ ...direct, endpoint: proxy.endpoint, timing, ...settings })
}

const large = patterned(20 * 1024 * 1024 + 5)
const stream = (): AsyncIterable<Uint8Array> => chunksOf(cut(large, [1_000_000]))

/** Nothing of a failed upload may stay: neither object nor parts. */
async function expectNothingLeft(): Promise<void> {
  expect(await buckets.openUploads(direct.bucket)).toEqual([])
  proxy.reset()
  expect(await keysBelow(store, '')).toEqual([])
}

describe('uploads to a store that fails', () => {
  test.each([
    ['a part is throttled', { when: isPart, times: 3, act: slowDown }],
    ['parts fail inside of the store', { when: isPart, times: 3, act: internal }],
    ['the connection breaks in the middle of a part', { when: isPart, times: 2, act: { resetRequestAfter: 100_000 } }],
    ['the answer to a part is lost', { when: isPart, times: 2, act: { loseAnswer: true as const } }],
    ['nothing answers a part', { when: isPart, act: { stallAnswerAfter: 0 } }],
    [
      'the completion says 200 with an error in its body',
      { when: isComplete, times: 2, act: { answer: 200, code: 'InternalError' } },
    ],
    ['the completion is throttled', { when: isComplete, times: 2, act: slowDown }],
    ['the answer to the completion is lost', { when: isComplete, act: { loseAnswer: true as const } }],
  ])('complete when %s', async (_name, fault) => {
    store = open({ checksums: 'off' })
    proxy.inject(fault)

    await store.putStream('k', stream())

    expect(await hashOf(store.getStream('k'))).toBe(sha256(large))
  })

  test.each([
    ['parts', { when: isPart, times: 1000, act: internal }, 'STORE_UNAVAILABLE'],
    [
      'the third part',
      { when: (r: ProxiedRequest) => r.query.get('partNumber') === '3', times: 1000, act: slowDown },
      'STORE_THROTTLED',
    ],
    ['the completion', { when: isComplete, times: 1000, act: { answer: 200, code: 'InternalError' } }, 'STORE_UNAVAILABLE'],
    ['space', { when: isPart, times: 1000, act: { answer: 507, code: 'InsufficientStorage' } }, 'STORE_FULL'],
    ['rights', { when: isPart, times: 1000, act: { answer: 403, code: 'AccessDenied' } }, 'STORE_DENIED'],
  ])('fail with their reason and leave nothing when %s fail for good', async (_name, fault, code) => {
    proxy.inject(fault)

    await expect(store.putStream('k', stream())).rejects.toMatchObject({ code })

    await expectNothingLeft()
  })

  test('fail at once when a part fails while the stream is silent', async () => {
    store = open({ checksums: 'off' })
    proxy.inject({ when: isPart, times: 1000, act: { answer: 403, code: 'AccessDenied' } })
    const silent = async function* (): AsyncGenerator<Uint8Array> {
      yield patterned(9 * 1024 * 1024)
      await new Promise(() => {})
    }

    await expect(store.putStream('k', silent())).rejects.toMatchObject({ code: 'STORE_DENIED' })

    await expectNothingLeft()
  })

  test('leave nothing when aborted with parts on their way', async () => {
    const abort = new AbortController()
    const reason = new Error('shutdown')
    proxy.inject({ when: isPart, act: { meanwhile: async () => abort.abort(reason) } })

    await expect(open({ checksums: 'off' }).putStream('k', stream(), { signal: abort.signal })).rejects.toBe(reason)

    await expectNothingLeft()
  })

  test('an abort during a single put counts only if the put did not end', async () => {
    const abort = new AbortController()
    proxy.inject({ when: isPut, act: { meanwhile: async () => abort.abort(new Error('shutdown')) } })

    await store.put('k', Buffer.from('x'), { signal: abort.signal })

    expect(await store.head('k')).toMatchObject({ sizeBytes: 1 })
  })

  test('a put that hangs ends with the reason of the abort', async () => {
    const abort = new AbortController()
    const act = { meanwhile: () => new Promise<void>(() => abort.abort(new Error('shutdown'))) }
    proxy.inject({ when: isPut, act })

    await expect(store.put('k', Buffer.from('x'), { signal: abort.signal })).rejects.toThrow('shutdown')
  })

  test('a conditional put whose answer was lost is recognised as ours', async () => {
    proxy.inject({ when: isPut, act: { loseAnswer: true } })

    await store.put('k', Buffer.from('mine'), { ifAbsent: true })

    await expect(store.put('k', Buffer.from('other'), { ifAbsent: true })).rejects.toMatchObject({ code: 'STORE_EXISTS' })
  })

  test('a store without conditional puts is asked before', async () => {
    const conditional = ({ headers }: ProxiedRequest): boolean => headers['if-none-match'] !== undefined
    proxy.inject({ when: conditional, times: 100, act: { answer: 501, code: 'NotImplemented' } })

    await store.put('k', Buffer.from('mine'), { ifAbsent: true })

    await expect(store.put('k', Buffer.from('other'), { ifAbsent: true })).rejects.toMatchObject({ code: 'STORE_EXISTS' })
  })
})

describe('checksums that a store does not know', () => {
  const act: FaultAct = { answer: 400, code: 'InvalidArgument', message: 'unsupported header x-amz-checksum-sha256' }

  test('are left out by themselves, after one try', async () => {
    proxy.inject({ when: hasChecksum, times: 1000, act })

    await store.put('small', Buffer.from('x'))
    await store.putStream('large', stream())

    expect(proxy.seen.filter(hasChecksum)).toHaveLength(1)
    expect(await hashOf(store.getStream('large'))).toBe(sha256(large))
    expect(await store.deleteMany(['small', 'large'])).toBe(2)
  })

  test('are left out of uploads in parts too when these come first', async () => {
    proxy.inject({ when: (r) => isPart(r) && hasChecksum(r), times: 1000, act })

    await store.putStream('large', stream())

    expect(await hashOf(store.getStream('large'))).toBe(sha256(large))
    await store.delete('large')
    await expectNothingLeft()
  })

  test('are an error where they are required', async () => {
    proxy.inject({ when: hasChecksum, times: 1000, act })

    await expect(open({ checksums: 'required' }).put('k', Buffer.from('x'))).rejects.toMatchObject({ code: 'STORE_REFUSED' })
  })

  test('are never sent when switched off', async () => {
    store = open({ checksums: 'off' })

    await store.put('small', Buffer.from('x'))
    await store.putStream('large', stream())
    await store.deleteMany(['small', 'large'])

    expect(proxy.seen.filter(hasChecksum)).toEqual([])
  })
})

describe('downloads from a store that fails', () => {
  beforeEach(async () => {
    await store.putStream('k', stream())
    proxy.reset()
  })

  test.each([
    ['breaks', { resetAnswerAfter: 3_000_000 }],
    ['stalls', { stallAnswerAfter: 9_000_000 }],
    ['ends short', { cutAnswerAfter: 3_000_000 }],
    ['breaks before the first byte', { resetAnswerAfter: 0 }],
  ])('go on where they stopped when the connection %s', async (_name, act) => {
    proxy.inject({ when: isGet, times: 3, act })

    expect(await hashOf(store.getStream('k'))).toBe(sha256(large))
  })

  test.each([
    ['breaks', { resetAnswerAfter: 300_000 }],
    ['stalls', { stallAnswerAfter: 300_000 }],
    ['ends short', { cutAnswerAfter: 300_000 }],
    ['breaks before the first byte', { resetAnswerAfter: 0 }],
  ])('give a range whole when the connection %s', async (_name, act) => {
    proxy.inject({ when: isGet, times: 2, act })

    const bytes = await store.get('k', { offset: 1_000_001, length: 4_000_000, limitBytes: 4_000_000 })

    expect(Buffer.compare(bytes, large.subarray(1_000_001, 5_000_001))).toBe(0)
  })

  test('give what there is of a range that begins or ends behind the end', async () => {
    const beyond = { limitBytes: 1000, length: 1000 }

    expect((await store.get('k', { ...beyond, offset: large.length - 7 })).length).toBe(7)
    expect((await store.get('k', { ...beyond, offset: large.length })).length).toBe(0)
    await expect(store.get('absent', { ...beyond, offset: 0 })).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' })
  })

  test('a range ends with the reason of an abort, though nothing comes', async () => {
    proxy.inject({ when: isGet, times: 1000, act: { stallAnswerAfter: 300_000 } })
    const abort = new AbortController()
    const reading = store.get('k', { offset: 0, length: 4_000_000, limitBytes: 4_000_000, signal: abort.signal })
    await expect.poll(() => proxy.seen.length).toBeGreaterThan(0)
    abort.abort(new Error('shutdown'))

    await expect(reading).rejects.toThrow('shutdown')
  })

  test('go on many times as long as each try brings something', async () => {
    proxy.inject({ when: isGet, times: 20, act: { resetAnswerAfter: 1_000_000 } })

    expect(await hashOf(store.getStream('k', { offset: 7 }))).toBe(sha256(large.subarray(7)))
    expect(proxy.seen.length).toBeGreaterThan(15)
  })

  test('fail when nothing comes any more', async () => {
    proxy.inject({ when: isGet, times: 1000, act: { stallAnswerAfter: 0 } })
    await expect(hashOf(store.getStream('k'))).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' })
  })

  test('fail early, and say what to look at, when the endpoint never answered anything', async () => {
    const patient = { ...timing, idleMs: 100, firstAnswerMs: 150, retry: { attempts: 1000, firstMs: 1, maxMs: 5 } }
    const fresh = open({ timing: patient })
    proxy.inject({ when: () => true, times: 1000, act: { stallAnswerAfter: 0 } })

    await expect(fresh.get('k')).rejects.toThrow(/(nothing came|timed out) .*check location.endpoint of the Profile/)

    expect(proxy.seen.length).toBeLessThan(10)
    await fresh.close()
  })

  test('fail when the store keeps ending short', async () => {
    proxy.inject({ when: isGet, times: 1000, act: { cutAnswerAfter: 0 } })

    await expect(hashOf(store.getStream('k'))).rejects.toMatchObject({ code: 'STORE_TRUNCATED' })
  })

  test('never mix two versions of an object', async () => {
    const other = new S3Store(direct)
    proxy.inject({ when: isGet, act: { resetAnswerAfter: 3_000_000 } })
    proxy.inject({ when: isGet, act: { meanwhile: async () => void (await other.put('k', large.subarray(1))) } })

    await expect(hashOf(store.getStream('k'))).rejects.toMatchObject({ code: 'STORE_CHANGED' })
    await other.close()
  })

  test('end with the reason of an abort', async () => {
    const abort = new AbortController()
    const reading = async (): Promise<void> => {
      for await (const chunk of store.getStream('k', { signal: abort.signal })) {
        expect(chunk.length).toBeGreaterThan(0)
        abort.abort(new Error('shutdown'))
      }
    }

    await expect(reading()).rejects.toThrow('shutdown')
  })
})

describe('deletes', () => {
  beforeEach(async () => {
    for (const key of ['a', 'b', 'c']) await store.put(key, Buffer.from(key))
    proxy.reset()
  })

  test('go one by one where the store has no batches', async () => {
    proxy.inject({ when: isBatchDelete, times: 1000, act: { answer: 501, code: 'NotImplemented' } })

    expect(await store.deleteMany(['a', 'b', 'c'])).toBe(3)

    expect(await keysBelow(store, '')).toEqual([])
  })

  test('name what stayed and why when the bucket denies them', async () => {
    proxy.inject({ when: (r) => isBatchDelete(r) || isDelete(r), times: 1000, act: { answer: 403, code: 'AccessDenied' } })

    await expect(store.deleteMany(['a', 'b'])).rejects.toMatchObject({
      code: 'STORE_DENIED',
      message: expect.stringContaining('"a"'),
    })
    await expect(store.delete('c')).rejects.toMatchObject({ code: 'STORE_DENIED' })
  })

  test('take the rest although one key stays', async () => {
    proxy.inject({ when: isBatchDelete, times: 1000, act: { answer: 501, code: 'NotImplemented' } })
    proxy.inject({ when: (r) => isDelete(r) && r.path.endsWith('/b'), times: 1000, act: { answer: 403, code: 'AccessDenied' } })

    await expect(store.deleteMany(['a', 'b', 'c'])).rejects.toMatchObject({
      message: expect.stringContaining('delete of object "b"'),
    })

    expect(await keysBelow(store, '')).toEqual(['b'])
  })
})

describe('what is wrong with a location is said', () => {
  test.each([
    [
      'the secret key is wrong',
      (): Partial<S3Settings> => ({ credentials: { ...direct.credentials, secretAccessKey: 'wrongwrong' } }),
      'STORE_DENIED',
      'secret key is wrong',
    ],
    [
      'the access key is unknown',
      (): Partial<S3Settings> => ({ credentials: { ...direct.credentials, accessKeyId: 'nobody' } }),
      'STORE_DENIED',
      'does not know this access key',
    ],
    ['the bucket is missing', (): Partial<S3Settings> => ({ bucket: 'nowhere' }), 'STORE_NO_BUCKET', '"nowhere"'],
    [
      'nothing listens',
      (): Partial<S3Settings> => ({ endpoint: 'http://127.0.0.1:9' }),
      'STORE_UNREACHABLE',
      'location.endpoint',
    ],
    [
      'the name does not resolve',
      (): Partial<S3Settings> => ({ endpoint: 'http://s3.invalid' }),
      'STORE_UNREACHABLE',
      's3.invalid',
    ],
  ])('%s', async (_name, settings, code, text) => {
    store = open(settings())

    const failure = await store.put('k', Buffer.from('x')).catch((error: unknown) => error)

    expect(failure).toMatchObject({ code, message: expect.stringContaining(text) })
    expect(messageOf(failure)).not.toContain(world().s3.secretKey)
    await expect(store.putStream('k', stream())).rejects.toMatchObject({ code })
    await expect(keysBelow(store, '')).rejects.toMatchObject({ code })
    await expect(store.head('k')).rejects.toMatchObject({ code })
  })

  test("the bucket's region is learned from the store", async () => {
    const act: FaultAct = { answer: 400, code: 'AuthorizationHeaderMalformed', extra: '<Region>us-east-1</Region>' }
    proxy.inject({ when: ({ headers }) => headers.authorization?.includes('/eu-central-1/') === true, times: 1000, act })
    store = open({ region: 'eu-central-1' })

    await Promise.all([store.put('a', Buffer.from('x')), store.put('b', Buffer.from('x'))])
    proxy.seen.length = 0
    await store.put('c', Buffer.from('x'))

    expect(proxy.seen).toHaveLength(1)
  })
})
