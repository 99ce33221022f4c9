import { expect, test } from 'vitest'
import type { Clock } from '../../../src/base/clock.ts'
import type { RepositoryContext } from '../../../src/repository/context.ts'
import { openFiles } from '../../../src/repository/files.ts'
import { nanosFromMs } from '../../../src/repository/format/go-time.ts'
import { renderLock } from '../../../src/repository/format/lock-file.ts'
import { createSealer, randomSealingKey } from '../../../src/repository/format/seal.ts'
import { LoadedIndex } from '../../../src/repository/loaded-index.ts'
import { acquireLock, withLock } from '../../../src/repository/lock.ts'
import { storeError } from '../../../src/store/errors.ts'
import { MemoryStore } from '../../../src/store/memory.ts'

const minute = 60_000

/** A clock that stands still until it is turned; sleeps end when it has passed them. */
class HandClock implements Clock {
  #now = Date.UTC(2026, 0, 1)
  #sleepers: Array<{ readonly at: number; readonly wake: () => void }> = []

  now(): number {
    return this.#now
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    // The short wait for others to settle is not what is tested here.
    if (ms <= 1000) return Promise.resolve()
    return new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
      this.#sleepers.push({ at: this.#now + ms, wake: resolve })
    })
  }

  turn(ms: number): void {
    this.#now += ms
    const due = this.#sleepers.filter((sleeper) => sleeper.at <= this.#now)
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.at > this.#now)
    for (const sleeper of due) sleeper.wake()
  }
}

function aContext(): { context: RepositoryContext; store: MemoryStore; clock: HandClock; alive: Set<number> } {
  const store = new MemoryStore()
  const clock = new HandClock()
  const alive = new Set([1])
  const sealer = createSealer(randomSealingKey())
  const files = openFiles(store, sealer, 2)
  const identity = { hostname: 'here', username: 'u', pid: 1, isAlive: (pid: number) => alive.has(pid) }
  const config = { version: 2 as const, id: '0'.repeat(64), polynomial: 0n }
  const index = new LoadedIndex(files)
  return {
    context: { store, sealer, files, identity, config, clock, lockWaitMs: 0, index, threads: { seal: 1, open: 1 } },
    store,
    clock,
    alive,
  }
}

async function theirLock(
  { context, clock }: ReturnType<typeof aContext>,
  lock: { exclusive: boolean; hostname: string; pid: number },
): Promise<string> {
  return context.files.save('locks', renderLock({ time: nanosFromMs(clock.now()), username: 'them', ...lock }))
}

async function locksIn({ context }: ReturnType<typeof aContext>): Promise<string[]> {
  return (await context.files.list('locks')).map(({ id }) => id)
}

test('shared locks stand beside each other, and nothing is left afterwards', async () => {
  const world = aContext()
  await withLock(world.context, { exclusive: false }, async () => {
    await withLock(world.context, { exclusive: false }, async () => expect(await locksIn(world)).toHaveLength(2))
  })

  expect(await locksIn(world)).toEqual([])
})

test('an exclusive lock of another keeps out, with words that say whose it is', async () => {
  const world = aContext()
  const theirs = await theirLock(world, { exclusive: true, hostname: 'there', pid: 7 })

  await expect(acquireLock(world.context, { exclusive: false })).rejects.toMatchObject({
    code: 'REPOSITORY_LOCKED',
    next: 'wait',
    message: expect.stringContaining('exclusively held by process 7 of them on there') as string,
  })
  expect(await locksIn(world)).toEqual([theirs])
})

test('to be alone, nobody else may be there', async () => {
  const world = aContext()
  await theirLock(world, { exclusive: false, hostname: 'there', pid: 7 })

  await expect(acquireLock(world.context, { exclusive: true })).rejects.toMatchObject({ code: 'REPOSITORY_LOCKED' })
})

test('locks that are old, or whose process of this host is gone, do not count and are removed', async () => {
  const world = aContext()
  await theirLock(world, { exclusive: true, hostname: 'there', pid: 7 })
  world.clock.turn(31 * minute)
  await theirLock(world, { exclusive: true, hostname: 'here', pid: 99 })

  const lock = await acquireLock(world.context, { exclusive: false })

  expect(await locksIn(world)).toHaveLength(1)
  await lock.release()
})

test('a lock is written anew every five minutes', async () => {
  const world = aContext()
  const ids: string[] = []
  const lock = await acquireLock(world.context, { exclusive: false, onLock: (id) => void ids.push(id) })

  world.clock.turn(6 * minute)

  await expect.poll(async () => [await locksIn(world), ids.length]).toEqual([[ids[1] ?? expect.any(String)], 2])
  expect(await locksIn(world)).toEqual([ids[1]])
  await lock.release()
  expect(await locksIn(world)).toEqual([])
})

test('work ends when the lock could not be refreshed for 22 minutes', async () => {
  const world = aContext()
  const put = world.store.put.bind(world.store)
  const warnings: string[] = []
  const working = withLock(
    world.context,
    { exclusive: false, onWarning: (warning) => warnings.push(warning) },
    async (signal) => {
      world.store.put = async () => {
        throw storeError('STORE_UNREACHABLE', 'the store is away')
      }
      for (let turned = 0; turned < 40 && !signal.aborted; turned++) {
        const before = warnings.length
        world.clock.turn(turned === 0 ? 5 * minute : minute)
        await expect.poll(() => signal.aborted || warnings.length > before).toBe(true)
      }
      signal.throwIfAborted()
    },
  )

  await expect(working).rejects.toMatchObject({ code: 'REPOSITORY_LOCK_LOST', next: 'retry' })
  world.store.put = put
  expect(warnings[0]).toContain('the store is away')
})

test('a bucket that denies delete costs a warning, not the work', async () => {
  const world = aContext()
  world.store.delete = async () => {
    throw storeError('STORE_DENIED', 'no')
  }
  const warnings: string[] = []

  const result = await withLock(
    world.context,
    { exclusive: false, onWarning: (warning) => warnings.push(warning) },
    async () => 'done',
  )

  expect(result).toBe('done')
  expect(warnings).toEqual([expect.stringContaining('could not be removed')])
})

test('a reader works without a lock where the store takes none', async () => {
  const world = aContext()
  world.store.put = async () => {
    throw storeError('STORE_DENIED', 'read only')
  }

  await expect(acquireLock(world.context, { exclusive: false })).rejects.toMatchObject({ code: 'STORE_DENIED' })
  await (await acquireLock(world.context, { exclusive: false, readOnly: true })).release()
})
