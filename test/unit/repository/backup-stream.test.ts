import { createHash, randomBytes } from 'node:crypto'
import { fc } from '../../build/properties.ts'
import { expect, test } from 'vitest'
import { initRepository } from '../../../src/repository/init-repository.ts'
import { openRepository } from '../../../src/repository/open-repository.ts'
import type { Repository } from '../../../src/repository/repository.ts'
import { MemoryStore } from '../../../src/store/memory.ts'
import { quickClock as clock } from './quick-clock.ts'
import { bytesOf, pieces } from './streams.ts'

async function aRepository(store = new MemoryStore()): Promise<{ store: MemoryStore; repository: Repository }> {
  return { store, repository: await initRepository(store, { clock, keys: [{ workingPassword: 'w' }] }) }
}

async function keysOf(store: MemoryStore, prefix: string): Promise<string[]> {
  return (await Array.fromAsync(store.list(prefix))).map(({ key }) => key)
}

test('a stream comes back byte by byte, with its length and hash', async () => {
  const { repository } = await aRepository()
  const input = Buffer.concat([randomBytes(20 << 20), Buffer.alloc(3 << 20), Buffer.from('the end')])

  const result = await repository.backupStream({
    stream: pieces(input, 100_000),
    filename: 'a/b/dump.sql',
    tags: ['t'],
    host: 'h',
  })
  const back = await bytesOf(repository.restoreStream({ snapshot: { id: result.snapshotId } }))

  expect(back.equals(input)).toBe(true)
  expect(result).toMatchObject({
    sizeBytes: input.length,
    sha256: createHash('sha256').update(input).digest('hex'),
    fileCount: 1,
    dirCount: 2,
  })
  const [snapshot] = await repository.snapshots()
  expect(snapshot).toMatchObject({ id: result.snapshotId, paths: ['/a/b/dump.sql'], hostname: 'h', tags: ['t'] })
})

test('so many new bytes that a second thread helps to seal them come back', async () => {
  const { repository } = await aRepository()
  const [piece, hash] = [randomBytes(1 << 20), createHash('sha256')]
  async function* noise(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < 200; at++) {
      for (let stamp = 0; stamp < piece.length; stamp += 65_536) piece.writeDoubleLE(at + stamp / piece.length, stamp)
      hash.update(piece)
      yield piece
    }
  }
  const { sizeBytes, sha256 } = await repository.backupStream({ stream: noise(), filename: 'f' })

  const back = createHash('sha256')
  for await (const bytes of repository.restoreStream({ snapshot: { latest: true }, lend: true })) back.update(bytes)

  expect([sizeBytes, sha256]).toEqual([200 << 20, hash.digest('hex')])
  expect(back.digest('hex')).toBe(sha256)
})

test('lent pieces are right while they are lent, also where a chunk comes again and again', async () => {
  const { repository } = await aRepository()
  const [a, zeros, b] = [randomBytes(9 << 20), Buffer.alloc(5 << 20), randomBytes(9 << 20)]
  const input = Buffer.concat([a, zeros, b, a, zeros])
  const { sha256 } = await repository.backupStream({ stream: pieces(input, 1 << 20), filename: 'f' })

  const hash = createHash('sha256')
  for await (const bytes of repository.restoreStream({ snapshot: { latest: true }, lend: true })) hash.update(bytes)

  expect(hash.digest('hex')).toBe(sha256)
})

test('a source that fills memory makes the same snapshot as a stream of pieces; its failure is thrown as it is', async () => {
  const { repository } = await aRepository()
  const input = randomBytes(70 << 20)
  const streamed = await repository.backupStream({ stream: pieces(input, 1 << 20), filename: 'f', time: 0 })
  let at = 0
  const readInto = async (room: Uint8Array): Promise<number> => {
    const length = Math.min(room.length, input.length - at, 300_000)
    room.set(input.subarray(at, at + length))
    at += length
    return length
  }

  const filled = await repository.backupStream({ stream: { readInto }, filename: 'f', time: 0 })
  const broken = { readInto: () => Promise.reject(new Error('the disk is gone')) }

  expect(filled).toMatchObject({ tree: streamed.tree, sha256: streamed.sha256, sizeBytes: input.length, addedBytes: 0 })
  await expect(repository.backupStream({ stream: broken, filename: 'f' })).rejects.toThrow('the disk is gone')
  expect(await repository.snapshots()).toHaveLength(2)
})

test('without a hash of the whole the snapshot is the same', async () => {
  const { repository } = await aRepository()
  const input = randomBytes(3 << 20)
  const hashed = await repository.backupStream({ stream: pieces(input, 1 << 20), filename: 'f', time: 0 })

  const plain = await repository.backupStream({ stream: pieces(input, 1 << 20), filename: 'f', time: 0, digest: false })

  expect(plain).toMatchObject({ sha256: '', tree: hashed.tree, addedBytes: 0 })
  expect((await bytesOf(repository.restoreStream({ snapshot: { id: plain.snapshotId } }))).equals(input)).toBe(true)
})

test('the same bytes again add nothing but a snapshot, also for a process that opens the repository anew', async () => {
  const { store, repository } = await aRepository()
  const input = randomBytes(5 << 20)
  const first = await repository.backupStream({ stream: pieces(input, 1 << 20), filename: 'f', time: 0 })
  const packs = await keysOf(store, 'data/')

  const again = await openRepository(store, { clock, passwords: ['w'] })
  const second = await again.backupStream({ stream: pieces(input, 77_777), filename: 'f', time: 0 })

  expect(first.addedBytes).toBeGreaterThan(input.length)
  expect(second).toMatchObject({ addedBytes: 0, dataBlobs: 0, treeBlobs: 0, tree: first.tree })
  expect(await keysOf(store, 'data/')).toEqual(packs)
})

test('an empty stream is refused unless it is allowed', async () => {
  const { store, repository } = await aRepository()

  await expect(repository.backupStream({ stream: pieces(Buffer.alloc(0), 1), filename: 'f' })).rejects.toMatchObject({
    code: 'REPOSITORY_EMPTY_STREAM',
  })
  expect(await keysOf(store, 'snapshots/')).toEqual([])
  const { snapshotId } = await repository.backupStream({ stream: pieces(Buffer.alloc(0), 1), filename: 'f', allowEmpty: true })
  expect(await bytesOf(repository.restoreStream({ snapshot: { id: snapshotId } }))).toHaveLength(0)
})

test('a stream that fails is a backup that fails with the same error: no snapshot, no index, no lock', async () => {
  const { store, repository } = await aRepository()
  const failure = new Error('pg_dump ended with 1')
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield randomBytes(40 << 20)
    throw failure
  }

  await expect(repository.backupStream({ stream: failing(), filename: 'f' })).rejects.toBe(failure)

  for (const folder of ['snapshots/', 'index/', 'locks/']) expect(await keysOf(store, folder)).toEqual([])
})

test('what the caller rejects at the end leaves no snapshot', async () => {
  const { store, repository } = await aRepository()
  const stream = pieces(randomBytes(1000), 100)
  const confirm = (): void => {
    throw new Error('exit code 2')
  }

  await expect(repository.backupStream({ stream, filename: 'f', confirm })).rejects.toThrow('exit code 2')
  expect(await keysOf(store, 'snapshots/')).toEqual([])
})

test('a backup whose lock somebody removed writes no snapshot: what it built upon may be pruned', async () => {
  const { store, repository } = await aRepository()
  async function* unlocked(): AsyncGenerator<Uint8Array> {
    yield randomBytes(1000)
    await store.deleteMany(await keysOf(store, 'locks/'))
  }

  await expect(repository.backupStream({ stream: unlocked(), filename: 'f' })).rejects.toMatchObject({
    code: 'REPOSITORY_LOCK_LOST',
    next: 'retry',
  })
  expect(await repository.snapshots()).toEqual([])
})

test('an abort ends a backup whose stream has stalled', async () => {
  const { store, repository } = await aRepository()
  const own = new AbortController()
  const reason = new Error('cancelled')
  async function* stalling(): AsyncGenerator<Uint8Array> {
    yield randomBytes(1 << 20)
    own.abort(reason)
    await new Promise(() => undefined)
  }

  await expect(repository.backupStream({ stream: stalling(), filename: 'f', signal: own.signal })).rejects.toBe(reason)
  for (const folder of ['snapshots/', 'index/', 'locks/']) expect(await keysOf(store, folder)).toEqual([])
})

test('a store that fails ends the backup with its error, though the stream has stalled', async () => {
  const { store, repository } = await aRepository()
  const refusal = new Error('the bucket is full')
  const put = store.put.bind(store)
  store.put = async (key, body, options) => {
    if (key.startsWith('data/')) throw refusal
    return put(key, body, options)
  }
  async function* stalling(): AsyncGenerator<Uint8Array> {
    yield randomBytes(60 << 20)
    await new Promise(() => undefined)
  }

  await expect(repository.backupStream({ stream: stalling(), filename: 'f' })).rejects.toBe(refusal)
  expect(await keysOf(store, 'snapshots/')).toEqual([])
})

test('packs of an interrupted backup are adopted by the next one, which sends only the rest', async () => {
  const { store, repository } = await aRepository()
  const input = randomBytes(60 << 20)
  const stored: { readonly id: string; readonly sizeBytes: number }[] = []
  const first = Promise.withResolvers<void>()
  const onPack = (pack: (typeof stored)[number]): void => {
    stored.push(pack)
    first.resolve()
  }
  async function* interrupted(): AsyncGenerator<Uint8Array> {
    yield* pieces(input.subarray(0, 50 << 20), 1 << 20)
    await first.promise
    throw new Error('killed')
  }
  await expect(repository.backupStream({ stream: interrupted(), filename: 'f', onPack })).rejects.toThrow('killed')

  const result = await repository.backupStream({
    stream: pieces(input, 1 << 20),
    filename: 'f',
    adoptPacks: [...stored.map(({ id }) => id), 'f'.repeat(64)],
  })

  expect(stored.length).toBeGreaterThan(0)
  const storedBytes = stored.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  expect(result.addedBytes).toBeLessThan(input.length - storedBytes + (1 << 20))
  expect((await bytesOf(repository.restoreStream({ snapshot: { latest: true } }))).equals(input)).toBe(true)
  expect((await repository.check({ readData: true })).findings).toEqual([])
  expect(await keysOf(store, 'locks/')).toEqual([])
})

test('any stream in any pieces comes back', { timeout: 60_000 }, async () => {
  const { repository } = await aRepository()
  const aPart = fc.record({ kind: fc.constantFrom('random', 'zeros', 'text'), length: fc.integer({ min: 0, max: 3 << 20 }) })
  await fc.assert(
    fc.asyncProperty(
      fc.array(aPart, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1000, max: 2 << 20 }),
      async (parts, pieceBytes) => {
        const input = Buffer.concat(
          parts.map(({ kind, length }) =>
            kind === 'random' ? randomBytes(length) : Buffer.alloc(length, kind === 'text' ? 'some text ' : 0),
          ),
        )
        const { snapshotId } = await repository.backupStream({
          stream: pieces(input, pieceBytes),
          filename: 'f',
          allowEmpty: true,
        })

        expect((await bytesOf(repository.restoreStream({ snapshot: { id: snapshotId } }))).equals(input)).toBe(true)
        await repository.forgetSnapshot(snapshotId)
      },
    ),
    { numRuns: 8 },
  )
})

test('two sealing threads and verified blobs give the same file', async () => {
  const store = new MemoryStore()
  await aRepository(store)
  const repository = await openRepository(store, { clock, passwords: ['w'], sealThreads: 2, openThreads: 1 })
  const input = Buffer.concat([randomBytes(30 << 20), Buffer.alloc(10 << 20, 'text and more text')])

  await repository.backupStream({ stream: pieces(input, 300_001), filename: 'f', verifyBlobs: true })

  expect((await bytesOf(repository.restoreStream({ snapshot: { latest: true } }))).equals(input)).toBe(true)
})
