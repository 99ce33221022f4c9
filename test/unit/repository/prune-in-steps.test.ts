import { fc } from '../../build/properties.ts'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Clock } from '../../../src/base/clock.ts'
import { initRepository } from '../../../src/repository/init-repository.ts'
import { openRepository } from '../../../src/repository/open-repository.ts'
import type { Repository } from '../../../src/repository/repository.ts'
import { MemoryStore } from '../../../src/store/memory.ts'
import type { ObjectStore } from '../../../src/store/object-store.ts'
import { dyingStore } from './dying-store.ts'
import { createNoise, samePolynomial } from './noise.ts'
import { bytesOf, pieces } from './streams.ts'

const MiB = 1 << 20
const hour = 3_600_000
const identity = { hostname: 'here', username: 'u', pid: 1, isAlive: () => true }

let noise: ReturnType<typeof createNoise>
beforeEach(() => {
  noise = createNoise()
})

/** Goes on when it is turned; waits of any length end at once. */
class TurnedClock implements Clock {
  ms = Date.UTC(2026, 0, 1)
  now(): number {
    return this.ms
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    // Refreshes of locks wait for longer; they end with their lock.
    if (ms <= 5_000) return Promise.resolve()
    return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason), { once: true }))
  }
}

interface World {
  readonly store: ObjectStore
  readonly clock: TurnedClock
  readonly repository: Repository
  /** Another process. */
  readonly open: (store?: ObjectStore) => Promise<Repository>
}

async function aWorld(): Promise<World> {
  const store = new MemoryStore()
  const clock = new TurnedClock()
  const options = { clock, identity, sealThreads: 1, openThreads: 1 }
  const repository = await initRepository(store, { ...options, keys: [{ workingPassword: 'w' }], polynomial: samePolynomial })
  return { store, clock, repository, open: (place = store) => openRepository(place, { ...options, passwords: ['w'] }) }
}

async function keep(repository: Repository, ...parts: Buffer[]): Promise<string> {
  return (await repository.backupStream({ stream: pieces(Buffer.concat(parts), MiB), filename: 'f' })).snapshotId
}

async function contentOf(repository: Repository, id: string): Promise<Buffer> {
  return bytesOf(repository.restoreStream({ snapshot: { id } }))
}

async function keysIn(store: ObjectStore, prefix: string): Promise<string[]> {
  return (await Array.fromAsync(store.list(prefix))).map(({ key }) => key)
}

async function alone<T>(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
  return work(signal)
}

/** Says when it is asked for a listing, and gives it when the gate opens. */
function listingSlowly(store: ObjectStore, folder: string, begun: { resolve(): void }, gate: Promise<void>): ObjectStore {
  return {
    ...dyingStore(store, Infinity),
    list: async function* (prefix) {
      if (prefix === folder) {
        begun.resolve()
        await gate
      }
      yield* store.list(prefix)
    },
  }
}

describe('a prune in steps', () => {
  test('marks first, removes when the grace has passed, and leaves what is needed', async () => {
    const { store, clock, repository } = await aWorld()
    const [gone, stays] = [noise(18 * MiB), noise(2 * MiB)]
    const forgotten = await keep(repository, gone, stays)
    const kept = await keep(repository, stays)
    await repository.forgetSnapshot(forgotten)
    const before = await keysIn(store, 'data/')

    const first = await repository.pruneInSteps()
    const early = await repository.pruneInSteps()
    clock.ms += 2 * hour
    const second = await repository.pruneInSteps()

    expect(first.waiting.bytes).toBeGreaterThan(17 * MiB)
    expect([first.swept.packsDeleted, early.swept.packsDeleted]).toEqual([0, 0])
    expect(second.swept.bytesFreed).toBeGreaterThan(17 * MiB)
    expect(second.waiting.packs).toBe(0)
    expect((await keysIn(store, 'data/')).filter((key) => before.includes(key)).length).toBeLessThan(before.length)
    expect((await contentOf(repository, kept)).equals(stays)).toBe(true)
    expect(await repository.check({ readData: true })).toMatchObject({ findings: [], orphanPackCount: 0 })
    expect([await keysIn(store, 'locks/'), await keysIn(store, 'holdfast-marks/')]).toEqual([[], []])
  })

  test('waits for a backup that was at work when the mark was made, and keeps what it came to need', async () => {
    const { clock, repository, open } = await aWorld()
    const bytes = noise(6 * MiB)
    const forgotten = await keep(repository, bytes)
    const gate = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const other = await open()
    async function* slowly(): AsyncGenerator<Uint8Array> {
      begun.resolve()
      await gate.promise
      yield* pieces(bytes, MiB)
    }
    const backup = other.backupStream({ stream: slowly(), filename: 'f' })
    await begun.promise
    await repository.forgetSnapshot(forgotten)

    await repository.pruneInSteps({ maxUnusedPercent: 0 })
    clock.ms += 10 * 60_000
    const beside = await repository.pruneInSteps({ graceMs: 0 })
    gate.resolve()
    const { snapshotId, addedBytes } = await backup
    clock.ms += 2 * hour
    const after = await repository.pruneInSteps()

    expect(beside.swept.packsDeleted).toBe(0)
    expect(addedBytes).toBeLessThan(MiB)
    expect(after.swept.packsKept).toBeGreaterThan(0)
    expect((await contentOf(repository, snapshotId)).equals(bytes)).toBe(true)
    expect((await repository.check({ readData: true })).findings).toEqual([])
  })

  test('lets backups go on beside its sweep, which build upon nothing that is marked', async () => {
    const { clock, repository, open } = await aWorld()
    const bytes = noise(6 * MiB)
    await repository.forgetSnapshot(await keep(repository, bytes))
    await repository.pruneInSteps()
    clock.ms += 2 * hour
    const gate = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    async function* slowly(): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 2 * MiB)
      begun.resolve()
      await gate.promise
      yield bytes.subarray(2 * MiB)
    }
    const backup = (await open()).backupStream({ stream: slowly(), filename: 'f' })
    await begun.promise

    const { swept } = await repository.pruneInSteps()
    gate.resolve()
    const { snapshotId, addedBytes } = await backup

    expect(swept.packsDeleted).toBeGreaterThan(0)
    expect(addedBytes).toBeGreaterThanOrEqual(6 * MiB)
    expect((await contentOf(repository, snapshotId)).equals(bytes)).toBe(true)
  })

  test('removes nothing while somebody is at work who knows of no marks, and says so', async () => {
    const { store, clock, repository, open } = await aWorld()
    await repository.forgetSnapshot(await keep(repository, noise(2 * MiB)))
    await repository.pruneInSteps()
    clock.ms += 2 * hour
    const warnings: string[] = []
    const begun = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    // A check keeps sweeps away in the same way as restic does.
    const slow = await open(listingSlowly(store, 'data/', begun, gate.promise))
    const checking = slow.check()
    await begun.promise

    const beside = await repository.pruneInSteps({ lease: alone, onWarning: (warning) => warnings.push(warning) })
    gate.resolve()
    const report = await checking
    const after = await repository.pruneInSteps({ lease: alone })

    expect(beside.swept.packsDeleted).toBe(0)
    expect(warnings.join()).toContain('not removed yet')
    expect(report.findings).toEqual([])
    expect(after.swept.packsDeleted).toBeGreaterThan(0)
  })

  test('can die at any write, and everything needed stays readable', async () => {
    const { clock, store, repository, open } = await aWorld()
    const [a, b, c] = [noise(MiB), noise(MiB), noise(MiB)]
    const forgotten = await keep(repository, a, b)
    const kept = [
      { id: await keep(repository, b, c), bytes: Buffer.concat([b, c]) },
      { id: await keep(repository, a), bytes: a },
    ]
    await repository.forgetSnapshot(forgotten)

    for (let writes = 0, died = true; died || writes < 4; writes++) {
      const dying = dyingStore(store, writes)
      clock.ms += 2 * hour
      await (await open(dying)).pruneInSteps({ maxUnusedPercent: 0 }).catch(() => undefined)
      died = dying.died
      // Nobody refreshes the locks of the dead.
      for (const key of await keysIn(store, 'locks/')) await store.delete(key)
      const survivor = await open()
      for (const { id, bytes } of kept) expect((await contentOf(survivor, id)).equals(bytes)).toBe(true)
      expect((await survivor.check()).findings).toEqual([])
      // One more backup between, that builds upon what is there.
      if (writes === 2) kept.push({ id: await keep(survivor, c, a), bytes: Buffer.concat([c, a]) })
      expect(writes).toBeLessThan(60)
    }
    expect((await repository.check({ readData: true })).findings).toEqual([])
  }, 60_000)

  test('whatever backups, forgets and prunes come in whatever order, what is not forgotten comes back', async () => {
    const step = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({ do: fc.constant('backup' as const), parts: fc.subarray([0, 1, 2, 3], { minLength: 1 }) }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('forget' as const), which: fc.nat(5) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('prune' as const), writes: fc.option(fc.nat(12)) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const) }) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 14 }), async (steps) => {
        const { clock, store, open } = await aWorld()
        const parts = Array.from({ length: 4 }, () => noise(700_000))
        const kept: Array<{ id: string; bytes: Buffer }> = []
        for (const one of steps) {
          if (one.do === 'wait') clock.ms += 2 * hour
          if (one.do === 'backup') {
            const bytes = Buffer.concat(one.parts.map((at) => parts[at] ?? Buffer.alloc(0)))
            kept.push({ id: await keep(await open(), bytes), bytes })
          }
          if (one.do === 'forget') for (const { id } of kept.splice(one.which, 1)) await (await open()).forgetSnapshot(id)
          if (one.do === 'prune') {
            const place = one.writes === null ? store : dyingStore(store, one.writes)
            await (await open(place)).pruneInSteps({ maxUnusedPercent: 0 }).catch(() => undefined)
            for (const key of await keysIn(store, 'locks/')) await store.delete(key)
          }
        }
        const reader = await open()
        for (const { id, bytes } of kept) expect((await contentOf(reader, id)).equals(bytes)).toBe(true)
        expect((await reader.check({ readData: true })).findings).toEqual([])
      }),
      { numRuns: 5 },
    )
  }, 90_000)
})
