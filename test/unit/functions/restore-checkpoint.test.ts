import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { noteRestoreLocks, removeRestoreLocks } from '../../../src/functions/restore-checkpoint.ts'
import { initRepository } from '../../../src/repository/init-repository.ts'
import { openRepository } from '../../../src/repository/open-repository.ts'
import { MemoryStore } from '../../../src/store/memory.ts'
import { quickClock as clock } from '../repository/quick-clock.ts'
import { bytesOf, pieces } from '../repository/streams.ts'

const identity = { hostname: 'here', username: 'u', pid: 1, isAlive: () => true }

test('a restore that was killed leaves a lock, and the one that takes it over removes it and no other', async () => {
  const store = new MemoryStore()
  await initRepository(store, { clock, identity, keys: [{ workingPassword: 'w' }] })
  const repository = await openRepository(store, { clock, identity, passwords: ['w'], sealThreads: 1 })
  const input = randomBytes(1 << 20)
  const { snapshotId } = await repository.backupStream({ stream: pieces(input, 1 << 18), filename: 'f' })
  const { signal } = new AbortController()
  let checkpoint: unknown
  const keep = async (state: unknown): Promise<void> => void (checkpoint = state)
  const locks = async (): Promise<number> => (await Array.fromAsync(store.list('locks/'))).length
  const restore = (): AsyncIterable<Uint8Array> =>
    repository.restoreStream({ snapshot: { id: snapshotId }, ...noteRestoreLocks({ checkpoint: keep }, snapshotId) })
  // Nobody reads on, as when the process is gone; a stranger reads beside it.
  const killed = restore()[Symbol.asyncIterator]()
  await killed.next()
  const stranger = repository.restoreStream({ snapshot: { id: snapshotId } })[Symbol.asyncIterator]()
  await stranger.next()
  expect(await locks()).toBe(2)

  await removeRestoreLocks({ resumed: checkpoint, signal }, repository)
  expect(await locks()).toBe(1)

  expect((await bytesOf(restore())).equals(input)).toBe(true)
  expect(checkpoint).toMatchObject({ restoring: snapshotId, restoreLocks: [expect.any(String)] })
  await stranger.return?.()
  expect(await locks()).toBe(0)
  await killed.return?.()
}, 60_000)
