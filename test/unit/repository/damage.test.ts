import { randomBytes } from 'node:crypto'
import { fc } from '../../build/properties.ts'
import { expect, test } from 'vitest'
import { initRepository } from '../../../src/repository/init-repository.ts'
import { openRepository } from '../../../src/repository/open-repository.ts'
import { MemoryStore } from '../../../src/store/memory.ts'
import { quickClock as clock } from './quick-clock.ts'
import { bytesOf, pieces } from './streams.ts'

/** What is at a location, and a fresh store of it with changes. */
async function contentsOf(store: MemoryStore): Promise<Map<string, Uint8Array>> {
  const contents = new Map<string, Uint8Array>()
  for (const { key } of await Array.fromAsync(store.list(''))) contents.set(key, await store.get(key))
  return contents
}

async function storeOf(contents: ReadonlyMap<string, Uint8Array>): Promise<MemoryStore> {
  const store = new MemoryStore()
  for (const [key, bytes] of contents) await store.put(key, bytes)
  return store
}

test('a flipped bit or a cut anywhere in the bucket is found, and no wrong byte is given out', async () => {
  const original = new MemoryStore()
  const repository = await initRepository(original, { clock, keys: [{ workingPassword: 'w' }] })
  const input = Buffer.concat([randomBytes(1_200_000), Buffer.alloc(800_000, 'text ')])
  await repository.backupStream({ stream: pieces(input, 1 << 20), filename: 'a/f' })
  const contents = await contentsOf(original)
  // A key file is plain JSON; of its words only the sealed part and the parameters matter.
  const keys = [...contents.keys()].filter((key) => !key.startsWith('keys/'))

  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...keys),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.integer({ min: 0, max: 8 }),
      async (key, place, bit) => {
        const damaged = Buffer.from(contents.get(key) ?? [])
        const at = Math.floor(place * damaged.length)
        damaged[at] = (damaged[at] ?? 0) ^ (1 << (bit % 8))
        const store = await storeOf(new Map([...contents, [key, bit === 8 ? damaged.subarray(0, at) : damaged]]))

        const outcome = await restore(store)
        if (outcome instanceof Uint8Array) expect(input.subarray(0, outcome.length).equals(outcome)).toBe(true)
        expect(await soundness(store)).toBe('damaged')
      },
    ),
    { numRuns: 15 },
  )
  expect(await soundness(original)).toBe('sound')
  const packBytes = (await Array.fromAsync(original.list('data/'))).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  expect(await repository.check({ readData: true })).toMatchObject({ findings: [], readBytes: packBytes, orphanPackCount: 0 })
}, 60_000)

test('a pack that is gone is an error that names it, before any byte of it is given out', async () => {
  const store = new MemoryStore()
  const repository = await initRepository(store, { clock, keys: [{ workingPassword: 'w' }] })
  await repository.backupStream({ stream: pieces(randomBytes(1_000_000), 1 << 20), filename: 'f' })
  const packs = await Array.fromAsync(store.list('data/'))
  for (const { key } of packs) await store.delete(key)

  await expect(bytesOf(repository.restoreStream({ snapshot: { latest: true } }))).rejects.toMatchObject({
    code: 'REPOSITORY_DAMAGED',
  })
  expect((await repository.check()).findings.map(({ object }) => object)).toEqual(
    expect.arrayContaining(packs.map(({ key }) => `pack ${key.slice(-64)}`)),
  )
})

/** What came out before the end or the error. */
async function restore(store: MemoryStore): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  try {
    const repository = await openRepository(store, { clock, passwords: ['w'] })
    for await (const bytes of repository.restoreStream({ snapshot: { latest: true } })) chunks.push(bytes)
  } catch {
    // What matters is what was given out before.
  }
  return Buffer.concat(chunks)
}

async function soundness(store: MemoryStore): Promise<'sound' | 'damaged'> {
  try {
    const { findings, snapshotCount } = await (
      await openRepository(store, { clock, passwords: ['w'] })
    ).check({ readData: true })
    return findings.length > 0 || snapshotCount === 0 ? 'damaged' : 'sound'
  } catch {
    return 'damaged'
  }
}
