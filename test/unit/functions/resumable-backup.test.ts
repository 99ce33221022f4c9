import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { resumableBackup } from '../../../src/functions/resumable-backup.ts'
import { initRepository } from '../../../src/repository/init-repository.ts'
import { openRepository } from '../../../src/repository/open-repository.ts'
import { MemoryStore } from '../../../src/store/memory.ts'
import type { ObjectStore } from '../../../src/store/object-store.ts'
import { dyingStore } from '../repository/dying-store.ts'
import { quickClock as clock } from '../repository/quick-clock.ts'
import { bytesOf, pieces } from '../repository/streams.ts'

const MiB = 1 << 20
const identity = { hostname: 'here', username: 'u', pid: 1, isAlive: () => true }

/** A store that counts the bytes of packs put into it. */
function counting(store: ObjectStore): ObjectStore & { readonly sent: { packs: number; bytes: number } } {
  const sent = { packs: 0, bytes: 0 }
  return {
    ...dyingStore(store, Infinity),
    sent,
    put: async (key, body, options) => {
      if (key.startsWith('data/')) {
        sent.packs++
        sent.bytes += body.length
      }
      return store.put(key, body, options)
    },
  }
}

test('a phase that was killed in its backup and goes on sends no stored pack again, and removes the lock it left', async () => {
  const store = new MemoryStore()
  await initRepository(store, { clock, identity, keys: [{ workingPassword: 'w' }] })
  const input = randomBytes(80 * MiB)
  const signal = new AbortController().signal
  let checkpoint: unknown
  const keep = (state: unknown): Promise<void> => {
    checkpoint = state
    return Promise.resolve()
  }
  // A lock and four packs, then nothing goes through any more.
  const victim = await openRepository(dyingStore(store, 5), { clock, identity, passwords: ['w'], sealThreads: 1 })
  const first = { checkpoint: keep, resumed: undefined, signal }
  const died = victim.backupStream({
    ...(await resumableBackup(first, victim, 'tag-1')),
    stream: pieces(input, MiB),
    filename: 'f',
  })
  await expect(died).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' })
  const stored = await Array.fromAsync(store.list('data/'))
  const storedBytes = stored.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  expect(await Array.fromAsync(store.list('locks/'))).toHaveLength(1)

  const counted = counting(store)
  const next = await openRepository(counted, { clock, identity, passwords: ['w'], sealThreads: 1 })
  const options = await resumableBackup({ checkpoint: keep, resumed: checkpoint, signal }, next, 'tag-2')
  const { snapshotId } = await next.backupStream({ ...options, stream: pieces(input, MiB), filename: 'f' })

  expect(stored).toHaveLength(4)
  expect(counted.sent.bytes).toBeLessThan(input.length - storedBytes + MiB)
  expect((await bytesOf(next.restoreStream({ snapshot: { id: snapshotId } }))).equals(input)).toBe(true)
  expect(await Array.fromAsync(store.list('locks/'))).toEqual([])
  expect(checkpoint).toMatchObject({ backupTag: 'tag-2' })
}, 60_000)
