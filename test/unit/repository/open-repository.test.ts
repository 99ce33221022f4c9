import { expect, test } from 'vitest'
import { initRepository } from '../../../src/repository/init-repository.ts'
import { createRecoveryKey, kanisterDefaultPassword } from '../../../src/repository/keys/recovery-key.ts'
import { openOrInitRepository, openRepository } from '../../../src/repository/open-repository.ts'
import { MemoryStore } from '../../../src/store/memory.ts'
import { quickClock as clock } from './quick-clock.ts'
import { bytesOf, pieces } from './streams.ts'

test('a place without a repository says so, and one with a repository is not made anew', async () => {
  const store = new MemoryStore()
  await expect(openRepository(store, { clock, passwords: ['w'] })).rejects.toMatchObject({ code: 'REPOSITORY_NOT_FOUND' })

  const made = await initRepository(store, { clock, keys: [{ encryptionKey: 'given' }] })

  await expect(initRepository(store, { clock, keys: [{ encryptionKey: 'given' }] })).rejects.toMatchObject({
    code: 'REPOSITORY_EXISTS',
  })
  expect((await openRepository(store, { passwords: ['given'] })).id).toBe(made.id)
})

test('a wrong key is told from a missing repository, and no key stands in the message', async () => {
  const store = new MemoryStore()
  await initRepository(store, { clock, keys: [{ workingPassword: 'right' }] })

  const error = await openRepository(store, {
    passwords: ['wrong'],
    recoveryKey: createRecoveryKey(),
    kanisterDefault: true,
  }).catch((caught: unknown) => caught)

  expect(error).toMatchObject({ code: 'REPOSITORY_WRONG_KEY' })
  expect(String(error)).not.toMatch(/wrong|right|hfr1/)
})

test('the working password and the recovery key open the same repository', async () => {
  const store = new MemoryStore()
  const recoveryKey = createRecoveryKey()
  const made = await initRepository(store, { clock, keys: [{ workingPassword: 'w' }, { recoveryKey }] })
  await made.backupStream({ stream: pieces(Buffer.from('data'), 10), filename: 'f' })

  const repository = await openRepository(store, { clock, recoveryKey })

  expect(repository.id).toBe(made.id)
  expect(repository.openedBy.keyId).not.toBe(made.openedBy.keyId)
  expect((await bytesOf(repository.restoreStream({ snapshot: { latest: true } }))).toString()).toBe('data')
})

test('the public password of Kanister is tried only when asked for, and said', async () => {
  const store = new MemoryStore()
  await initRepository(store, { clock, keys: [{ encryptionKey: kanisterDefaultPassword }] })

  await expect(openRepository(store, { clock, passwords: ['w'] })).rejects.toMatchObject({ code: 'REPOSITORY_WRONG_KEY' })
  expect((await openRepository(store, { clock, passwords: ['w'], kanisterDefault: true })).openedBy.publicKey).toBe(true)
})

test('a key can be added later', async () => {
  const store = new MemoryStore()
  const recoveryKey = createRecoveryKey()
  const repository = await initRepository(store, { clock, keys: [{ workingPassword: 'w' }] })

  await repository.addKey({ key: { recoveryKey } })

  expect((await openRepository(store, { clock, recoveryKey })).id).toBe(repository.id)
})

test('an empty key is refused', async () => {
  await expect(initRepository(new MemoryStore(), { clock, keys: [{ encryptionKey: '' }] })).rejects.toMatchObject({
    code: 'REPOSITORY_BAD_ARGUMENT',
  })
})

test('of several that make a repository at once, one makes it and all open it', async () => {
  const store = new MemoryStore()
  const options = { passwords: ['w'] }
  const init = { keys: [{ workingPassword: 'w' }] }

  const repositories = await Promise.all(Array.from({ length: 4 }, () => openOrInitRepository(store, options, init)))

  expect(new Set(repositories.map(({ id }) => id)).size).toBe(1)
  expect(await Array.fromAsync(store.list('keys/'))).toHaveLength(1)
})

test('snapshots are found by id, beginning of id, tag and age', async () => {
  const repository = await initRepository(new MemoryStore(), { clock, keys: [{ workingPassword: 'w' }] })
  const backup = async (tag: string, time: number): Promise<string> =>
    (await repository.backupStream({ stream: pieces(Buffer.from(tag), 10), filename: 'f', tags: [tag], time })).snapshotId
  const first = await backup('one', 1000)
  const second = await backup('two', 2000)
  const older = await backup('two', 1500)

  expect((await repository.snapshots()).map(({ id }) => id)).toEqual([first, older, second])
  expect((await repository.findSnapshot({ id: first.slice(0, 8) }))?.id).toBe(first)
  expect((await repository.findSnapshot({ tag: 'two' }))?.id).toBe(second)
  expect((await repository.findSnapshot({ latest: true }))?.id).toBe(second)
  expect(await repository.findSnapshot({ id: 'zz' })).toBeUndefined()
  await expect(repository.getSnapshot({ tag: 'three' })).rejects.toMatchObject({ code: 'REPOSITORY_SNAPSHOT_NOT_FOUND' })

  await repository.forgetSnapshot(second.slice(0, 10))
  await repository.forgetSnapshot(second)
  expect((await repository.findSnapshot({ latest: true }))?.id).toBe(older)
})
