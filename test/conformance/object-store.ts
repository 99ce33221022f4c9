import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ObjectStore } from '../../src/store/object-store.ts'

export interface StoreUnderTest {
  readonly store: ObjectStore
  /** Ends what `open` started. */
  close(): Promise<void>
}

/** What every store must keep of `src/store/object-store.ts`. `open` gives an empty one. */
export function describeObjectStore(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`${name} keeps the contract of object stores`, () => {
    let opened: StoreUnderTest
    let store: ObjectStore
    beforeAll(async () => {
      opened = await open()
      store = opened.store
    })
    afterAll(async () => {
      await opened?.close()
    })

    test('gives back what was put, with its size, and shows it in head and list', async () => {
      const { sizeBytes } = await store.put('whole/a.txt', Buffer.from('hello'))

      expect(sizeBytes).toBe(5)
      expect(Buffer.from(await store.get('whole/a.txt')).toString()).toBe('hello')
      expect(await store.head('whole/a.txt')).toMatchObject({ key: 'whole/a.txt', sizeBytes: 5 })
      expect(await keysBelow(store, 'whole/')).toEqual(['whole/a.txt'])
    })

    test('takes a body in shared memory, which may change when the put is done', async () => {
      const body = new Uint8Array(new SharedArrayBuffer(12 << 20), 4096, 9_000_001)
      for (let at = 0; at < body.length; at += 1021) body[at] = at % 251
      const hash = sha256(body)
      for (const [key, options] of Object.entries({ plain: {}, hashed: { sha256: hash }, absent: { ifAbsent: true } }))
        await store.put(`shared/${key}`, body, options)
      body.fill(1)

      for (const key of ['plain', 'hashed', 'absent']) expect(await hashOf(store.getStream(`shared/${key}`))).toBe(hash)
    })

    test('a put replaces the object', async () => {
      await store.put('replaced', Buffer.from('one'))
      await store.put('replaced', Buffer.from('second'))

      expect(Buffer.from(await store.get('replaced')).toString()).toBe('second')
    })

    test('holds empty objects', async () => {
      await store.put('empty/put', Buffer.alloc(0))
      await store.putStream('empty/stream', chunksOf([]))

      expect(await store.get('empty/put')).toHaveLength(0)
      expect(await hashOf(store.getStream('empty/stream'))).toBe(sha256(Buffer.alloc(0)))
      expect((await store.head('empty/stream'))?.sizeBytes).toBe(0)
    })

    test('accepts a body with its hash, and takes keys with odd characters', async () => {
      const body = Buffer.from('odd')
      const keys = ['odd/a b', 'odd/ü+%41&=?#', "odd/it's(1)*!", 'odd/x:y@z,;$~']
      for (const key of keys) await store.put(key, body, { sha256: sha256(body) })

      expect((await keysBelow(store, 'odd/')).toSorted()).toEqual(keys.toSorted())
      for (const key of keys) expect(Buffer.from(await store.get(key)).toString()).toBe('odd')
    })

    test('an absent object is not found, has no head, and can be deleted', async () => {
      await expect(store.get('absent')).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' })
      await expect(hashOf(store.getStream('absent'))).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' })
      expect(await store.head('absent')).toBeUndefined()
      await store.delete('absent')
    })

    test('creates only if absent when asked to', async () => {
      await store.put('once', Buffer.from('first'), { ifAbsent: true })

      await expect(store.put('once', Buffer.from('second'), { ifAbsent: true })).rejects.toMatchObject({ code: 'STORE_EXISTS' })
      expect(Buffer.from(await store.get('once')).toString()).toBe('first')
    })

    test.each(['', '/a', 'a/../b', './a', 'a\0b', 'x'.repeat(1025)])('refuses the key %j', async (key) => {
      await expect(store.put(key, Buffer.from('x'))).rejects.toMatchObject({ code: 'STORE_BAD_KEY' })
      await expect(store.putStream(key, chunksOf([]))).rejects.toMatchObject({ code: 'STORE_BAD_KEY' })
      await expect(store.get(key)).rejects.toMatchObject({ code: 'STORE_BAD_KEY' })
      await expect(store.head(key)).rejects.toMatchObject({ code: 'STORE_BAD_KEY' })
      await expect(store.delete(key)).rejects.toMatchObject({ code: 'STORE_BAD_KEY' })
    })

    test('streams of any cut arrive whole, with progress', async () => {
      const body = patterned(3 * 1024 * 1024 + 17)
      const progress: number[] = []

      const { sizeBytes } = await store.putStream('stream/small', chunksOf(cut(body, [1, 0, 65536, 7, 1_000_000])), {
        onProgress: (bytes) => progress.push(bytes),
      })

      expect(sizeBytes).toBe(body.length)
      expect(progress.at(-1)).toBe(body.length)
      expect(await hashOf(store.getStream('stream/small'))).toBe(sha256(body))
    })

    test('a stream longer than one part arrives whole', async () => {
      const body = patterned(21 * 1024 * 1024 + 3)

      await store.putStream('stream/large', chunksOf(cut(body, [1_000_003])))

      expect((await store.head('stream/large'))?.sizeBytes).toBe(body.length)
      expect(await hashOf(store.getStream('stream/large'))).toBe(sha256(body))
    })

    test('ranges are exact', async () => {
      const body = patterned(200_000)
      await store.put('range', body)

      expect(Buffer.from(await store.get('range', { offset: 5, length: 10 })).equals(body.subarray(5, 15))).toBe(true)
      expect(await hashOf(store.getStream('range', { offset: 199_990 }))).toBe(sha256(body.subarray(199_990)))
      expect(await hashOf(store.getStream('range', { offset: 199_990, length: 500 }))).toBe(sha256(body.subarray(199_990)))
      expect(await store.get('range', { length: 0 })).toHaveLength(0)
      expect(await store.get('range', { offset: 200_000 })).toHaveLength(0)
      expect(await store.get('range', { offset: 300_000, length: 5 })).toHaveLength(0)
    })

    test('get refuses what is larger than its limit', async () => {
      await store.put('limited', Buffer.alloc(100))

      await expect(store.get('limited', { limitBytes: 99 })).rejects.toMatchObject({ code: 'STORE_TOO_LARGE' })
      expect(await store.get('limited', { limitBytes: 100 })).toHaveLength(100)
    })

    test('a reader may stop early', async () => {
      await store.put('early', patterned(5_000_000))

      for await (const chunk of store.getStream('early')) {
        expect(chunk.length).toBeGreaterThan(0)
        break
      }
      expect((await store.get('early', { length: 4 })).length).toBe(4)
    })

    test.each([0, 100, 12 * 1024 * 1024])(
      'a stream that fails after %i bytes leaves nothing, and its error comes out',
      async (length) => {
        const failure = new Error('the dump failed')

        await expect(store.putStream('failed/stream', failing(length, failure))).rejects.toBe(failure)

        expect(await store.head('failed/stream')).toBeUndefined()
      },
    )

    test('a failing stream leaves the older object as it was', async () => {
      await store.put('failed/older', Buffer.from('older'))

      await expect(store.putStream('failed/older', failing(9_000_000, new Error('no')))).rejects.toThrow('no')

      expect(Buffer.from(await store.get('failed/older')).toString()).toBe('older')
    })

    test('an abort ends a put whose stream hangs, with the reason given, and leaves nothing', async () => {
      const abort = new AbortController()
      const reason = new Error('shutdown')
      const hanging = async function* (): AsyncGenerator<Uint8Array> {
        yield patterned(10 * 1024 * 1024)
        setImmediate(() => abort.abort(reason))
        await new Promise((_resolve, reject) =>
          abort.signal.addEventListener('abort', () => reject(abort.signal.reason as Error)),
        )
      }

      await expect(store.putStream('aborted', hanging(), { signal: abort.signal })).rejects.toBe(reason)

      expect(await store.head('aborted')).toBeUndefined()
    })

    test('an aborted signal stops everything before it begins', async () => {
      const signal = AbortSignal.abort(new Error('gone'))

      await expect(store.put('never', Buffer.from('x'), { signal })).rejects.toThrow('gone')
      await expect(store.putStream('never', chunksOf([Buffer.from('x')]), { signal })).rejects.toThrow('gone')
      await expect(store.get('never', { signal })).rejects.toThrow('gone')
      await expect(store.head('never', { signal })).rejects.toThrow('gone')
      await expect(store.delete('never', { signal })).rejects.toThrow('gone')
      expect(await store.head('never')).toBeUndefined()
    })

    test('lists by plain-text prefix, in order', async () => {
      for (const key of ['list/b/2', 'list/a', 'list/b/10', 'list/ab', 'listing']) await store.put(key, Buffer.from(key))

      expect(await keysBelow(store, 'list/')).toEqual(['list/a', 'list/ab', 'list/b/10', 'list/b/2'])
      expect(await keysBelow(store, 'list/a')).toEqual(['list/a', 'list/ab'])
      expect(await keysBelow(store, 'list/nothing')).toEqual([])
    })

    test('deletes one, and many at once, absent ones too, and no neighbour', async () => {
      for (const key of ['del/a', 'del/b', 'del/c', 'delicate']) await store.put(key, Buffer.from('x'))

      await store.delete('del/a')
      expect(await store.deleteMany(['del/b', 'del/c', 'del/absent'])).toBe(3)

      expect(await keysBelow(store, 'del')).toEqual(['delicate'])
    })

    test('many objects are listed and deleted page by page', async () => {
      const keys = Array.from({ length: 1203 }, (_, index) => `many/${String(index).padStart(5, '0')}`)
      for (let at = 0; at < keys.length; at += 50) {
        await Promise.all(keys.slice(at, at + 50).map((key) => store.put(key, Buffer.from('x'))))
      }

      expect(await keysBelow(store, 'many/')).toEqual(keys)
      expect(await store.deleteMany(keys)).toBe(1203)
      expect(await keysBelow(store, 'many/')).toEqual([])
    }, 600_000)

    test('a producer may reuse its buffer after it is asked for the next chunk', async () => {
      const reused = Buffer.alloc(1000)
      const body = async function* (): AsyncGenerator<Uint8Array> {
        for (let index = 0; index < 20_000; index++) yield reused.fill(index % 251)
      }

      await store.putStream('reused', body())

      const expected = Buffer.concat(Array.from({ length: 20_000 }, (_, index) => Buffer.alloc(1000, index % 251)))
      expect(await hashOf(store.getStream('reused'))).toBe(sha256(expected))
    })
  })
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

export async function hashOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of stream) hash.update(chunk)
  return hash.digest('hex')
}

export async function keysBelow(store: ObjectStore, prefix: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list(prefix)) keys.push(key)
  return keys
}

/** Bytes in which no two stretches are alike, so that swapped or doubled parts show. */
export function patterned(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE((at * 2654435761) >>> 0, at)
  return bytes
}

export async function* chunksOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}

/** The bytes in pieces of the sizes given, round and round. */
export function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0, index = 0; at < bytes.length; index++) {
    const size = sizes[index % sizes.length] ?? 1
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

async function* failing(length: number, error: Error): AsyncGenerator<Uint8Array> {
  for (let left = length; left > 0; left -= 1_000_000) yield patterned(Math.min(left, 1_000_000))
  throw error
}
