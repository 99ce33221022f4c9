import { createHash } from 'node:crypto'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { initRepository } from '../../../src/repository/init-repository.ts'
import { openRepository } from '../../../src/repository/open-repository.ts'
import type { PruneProgress } from '../../../src/repository/prune.ts'
import type { Repository } from '../../../src/repository/repository.ts'
import { MemoryStore } from '../../../src/store/memory.ts'
import type { ObjectStore } from '../../../src/store/object-store.ts'
import { dyingStore } from './dying-store.ts'
import { createNoise, samePolynomial } from './noise.ts'
import { quickClock as clock } from './quick-clock.ts'
import { bytesOf, pieces } from './streams.ts'

const MiB = 1 << 20
const identity = { hostname: 'here', username: 'u', pid: 1, isAlive: () => false }

let noise: ReturnType<typeof createNoise>
beforeEach(() => {
  noise = createNoise()
})

async function aRepository(store: ObjectStore = new MemoryStore()): Promise<{ store: ObjectStore; repository: Repository }> {
  const options = { clock, identity, keys: [{ workingPassword: 'w' }], polynomial: samePolynomial }
  return { store, repository: await initRepository(store, options) }
}

/** A process of its own; the ones before it are dead. */
function reopen(store: ObjectStore): Promise<Repository> {
  return openRepository(store, { clock, identity, passwords: ['w'] })
}

async function keep(repository: Repository, bytes: Buffer): Promise<string> {
  return (await repository.backupStream({ stream: pieces(bytes, MiB), filename: 'f' })).snapshotId
}

async function sizesIn(store: ObjectStore, prefix: string): Promise<number[]> {
  return (await Array.fromAsync(store.list(prefix))).map(({ sizeBytes }) => sizeBytes)
}

async function storedIn(store: ObjectStore, prefix: string): Promise<number> {
  return (await sizesIn(store, prefix)).reduce((sum, size) => sum + size, 0)
}

async function digestOf(repository: Repository, id: string): Promise<string> {
  const bytes = await bytesOf(repository.restoreStream({ snapshot: { id } }))
  return createHash('sha256').update(bytes).digest('hex')
}

describe('prune', () => {
  test('removes what only forgotten snapshots needed, says how much, and the rest comes back', async () => {
    const { store, repository } = await aRepository()
    const [mine, shared, other] = [noise(20 * MiB), noise(20 * MiB), noise(4 * MiB)]
    const gone = await keep(repository, Buffer.concat([mine, shared]))
    const stays = await keep(repository, Buffer.concat([shared, other]))
    await repository.forgetSnapshot(gone)
    const before = await storedIn(store, 'data/')

    const result = await repository.prune()

    const after = await storedIn(store, 'data/')
    expect(result.bytesFreed).toBe(before - after)
    expect(after).toBeLessThan(27 * MiB)
    expect(result.packsRewritten).toBeGreaterThan(0)
    expect((await bytesOf(repository.restoreStream({ snapshot: { id: stays } }))).equals(Buffer.concat([shared, other]))).toBe(
      true,
    )
    expect(await repository.check({ readData: true })).toMatchObject({ findings: [], orphanPackCount: 0 })
    expect(await sizesIn(store, 'locks/')).toEqual([])
  })

  test('with nothing to do touches nothing', async () => {
    const { store, repository } = await aRepository()
    await keep(repository, noise(3 * MiB))
    const before = (await Array.fromAsync(store.list(''))).map(({ key }) => key)

    const result = await repository.prune()

    expect(result).toEqual({ packsDeleted: 0, packsRewritten: 0, packsWritten: 0, bytesFreed: 0, bytesUnused: 0 })
    expect((await Array.fromAsync(store.list(''))).map(({ key }) => key)).toEqual(before)
  })

  test('leaves a repository without snapshots empty, and usable', async () => {
    const { store, repository } = await aRepository()
    await repository.forgetSnapshot(await keep(repository, noise(3 * MiB)))

    await repository.prune()

    expect([await sizesIn(store, 'data/'), await sizesIn(store, 'index/')]).toEqual([[], []])
    const bytes = noise(2 * MiB)
    const id = await keep(repository, bytes)
    expect((await bytesOf(repository.restoreStream({ snapshot: { id } }))).equals(bytes)).toBe(true)
  })

  test('leaves a little waste where moving would cost more, unless asked for none', async () => {
    const { repository } = await aRepository()
    const [most, little] = [noise(30 * MiB), noise(700 << 10)]
    // At the beginning: chunks at the end may have a pack of their own, by chance, which goes as a whole.
    const gone = await keep(repository, Buffer.concat([little, most]))
    await keep(repository, most)
    await repository.forgetSnapshot(gone)

    // More than the longest chunk and the little before it.
    const lazy = await repository.prune({ maxUnusedPercent: 40 })
    const strict = await repository.prune({ maxUnusedPercent: 0 })

    expect(lazy).toMatchObject({ packsRewritten: 0 })
    expect(lazy.bytesUnused).toBeGreaterThan(little.length / 2)
    expect(strict.bytesUnused).toBe(0)
    expect(strict.packsRewritten).toBeGreaterThan(0)
  })

  test('joins the small packs and index files of many backups', async () => {
    const { store, repository } = await aRepository()
    const kept = []
    for (let at = 0; at < 12; at++) kept.push(await keep(repository, noise(10_000)))

    await repository.prune()

    expect([(await sizesIn(store, 'data/')).length, (await sizesIn(store, 'index/')).length]).toEqual([2, 1])
    for (const id of kept) expect(await digestOf(repository, id)).toHaveLength(64)
    expect((await repository.check({ readData: true })).findings).toEqual([])
  })

  test('removes the packs of a backup that broke off', async () => {
    const { store, repository } = await aRepository()
    const id = await keep(repository, noise(MiB))
    await store.put(`data/ab/${'ab'.repeat(32)}`, noise(1000))

    const result = await repository.prune({ maxUnusedPercent: 100 })

    expect(result).toMatchObject({ packsDeleted: 1, bytesFreed: 1000 })
    expect(await digestOf(repository, id)).toHaveLength(64)
  })

  test('says how far it is', async () => {
    const { repository } = await aRepository()
    await repository.forgetSnapshot(await keep(repository, noise(MiB)))
    const said: PruneProgress[] = []

    await repository.prune({ onProgress: (progress) => said.push(progress) })

    expect(said).toEqual([
      { step: 'finding', packs: 0 },
      { step: 'removing', packs: 2 },
    ])
  })

  test('stops before it removes anything when a pack that is needed is gone or has another size', async () => {
    const { store, repository } = await aRepository()
    await repository.forgetSnapshot(await keep(repository, noise(MiB)))
    await keep(repository, noise(4 * MiB))
    const packs = await Array.fromAsync(store.list('data/'))
    // The largest is the one that is still needed.
    const [needed] = packs.toSorted((a, b) => b.sizeBytes - a.sizeBytes)
    await store.put(needed?.key ?? '', noise(5))

    await expect(repository.prune()).rejects.toMatchObject({
      code: 'REPOSITORY_DAMAGED',
      message: expect.stringContaining('nothing was removed') as string,
    })
    expect(await sizesIn(store, 'data/')).toHaveLength(packs.length)
  })

  test('stops before it removes anything when a blob that is needed is in no index', async () => {
    const { store, repository } = await aRepository()
    await keep(repository, noise(2 * MiB))
    await store.deleteMany((await Array.fromAsync(store.list('index/'))).map(({ key }) => key))

    await expect((await reopen(store)).prune()).rejects.toMatchObject({ code: 'REPOSITORY_DAMAGED' })
    expect(await sizesIn(store, 'data/')).toHaveLength(2)
  })

  test('stops at a damaged blob that it would have to move', async () => {
    const { store, repository } = await aRepository()
    const shared = noise(4 * MiB)
    const gone = await keep(repository, Buffer.concat([noise(4 * MiB), shared]))
    const [pack] = (await Array.fromAsync(store.list('data/'))).toSorted((a, b) => b.sizeBytes - a.sizeBytes)
    await keep(repository, shared)
    await repository.forgetSnapshot(gone)
    const bytes = Buffer.from(await store.get(pack?.key ?? ''))
    for (let at = 0; at < bytes.length - 1000; at += 1000) bytes[at] = ~(bytes[at] ?? 0)
    await store.put(pack?.key ?? '', bytes)

    await expect(repository.prune()).rejects.toMatchObject({ code: 'REPOSITORY_DAMAGED' })
    expect(await store.head(pack?.key ?? '')).toMatchObject({ sizeBytes: bytes.length })
  })

  test('waits for a backup that runs, and gives up after its time', async () => {
    const { store } = await aRepository()
    const alive = { ...identity, isAlive: () => true }
    const repository = await openRepository(store, { clock, identity: alive, passwords: ['w'] })
    let finish = (): void => undefined
    const finished = new Promise<void>((resolve) => (finish = resolve))
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield noise(1000)
      await finished
    }
    const backup = repository.backupStream({ stream: slow(), filename: 'f' })
    await expect.poll(() => sizesIn(store, 'locks/')).toHaveLength(1)

    await expect(repository.prune()).rejects.toMatchObject({ code: 'REPOSITORY_LOCKED', next: 'wait' })
    const warnings: string[] = []
    const waiting = repository.prune({ lockWaitMs: 60_000, onWarning: (warning) => warnings.push(warning) })
    await expect.poll(() => warnings).toHaveLength(1)
    finish()
    await backup

    expect(await waiting).toMatchObject({ bytesFreed: 0 })
  })

  test('does not remove anything once its lock was removed by somebody', async () => {
    const { store, repository } = await aRepository()
    await repository.forgetSnapshot(await keep(repository, noise(MiB)))

    const pruning = repository.prune({ onLock: (id) => void store.delete(`locks/${id}`) })

    await expect(pruning).rejects.toMatchObject({ code: expect.stringMatching(/REPOSITORY_LOCK/) as string })
    expect(await sizesIn(store, 'data/')).toHaveLength(2)
  })
})

describe('a prune that dies', () => {
  interface Kept {
    readonly id: string
    readonly digest: string
  }
  let contents: Map<string, Uint8Array>
  let kept: Kept[]

  beforeAll(async () => {
    const ofAll = createNoise()
    const { store, repository } = await aRepository()
    const parts = Array.from({ length: 6 }, () => ofAll(MiB))
    const ids: string[] = []
    for (let at = 0; at + 1 < parts.length; at++) ids.push(await keep(repository, Buffer.concat(parts.slice(at, at + 2))))
    for (const id of ids.filter((_, at) => at % 2 === 0)) await repository.forgetSnapshot(id)
    kept = await Promise.all(
      ids.filter((_, at) => at % 2 === 1).map(async (id) => ({ id, digest: await digestOf(repository, id) })),
    )
    await store.put(`data/ab/${'ab'.repeat(32)}`, ofAll(1000))
    contents = new Map()
    for await (const { key } of store.list('')) contents.set(key, await store.get(key))
  })

  async function copyOfAll(): Promise<MemoryStore> {
    const store = new MemoryStore()
    for (const [key, bytes] of contents) await store.put(key, bytes)
    return store
  }

  async function expectSound(repository: Repository): Promise<void> {
    expect((await repository.check({ readData: true })).findings).toEqual([])
    for (const { id, digest } of kept) expect(await digestOf(repository, id)).toBe(digest)
  }

  test(
    'at any of its writes leaves all snapshots whole, and the next one finishes the work',
    { timeout: 120_000 },
    async () => {
      let writes = 0
      for (let died = true; died; writes++) {
        const store = await copyOfAll()
        const dying = dyingStore(store, writes)
        await (await reopen(dying)).prune({ maxUnusedPercent: 0 }).catch(() => undefined)
        died = dying.died

        const next = await reopen(store)
        await expectSound(next)
        const { bytesUnused } = await next.prune({ maxUnusedPercent: 0 })
        expect((await next.check({ readData: true })).findings).toEqual([])
        expect(bytesUnused).toBe(0)
        expect(await next.check()).toMatchObject({ orphanPackCount: 0 })
        expect((await next.prune({ maxUnusedPercent: 0 })).bytesFreed).toBe(0)
      }
      expect(writes).toBeGreaterThan(10)
    },
  )
})
