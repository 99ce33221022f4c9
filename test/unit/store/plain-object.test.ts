import { describe, expect, test } from 'vitest'
import { storeError } from '../../../src/store/errors.ts'
import { manifestKey } from '../../../src/store/manifest.ts'
import { MemoryStore } from '../../../src/store/memory.ts'
import type { ObjectStore } from '../../../src/store/object-store.ts'
import { deleteObjectTree, pullObject, pushObject } from '../../../src/store/plain-object.ts'
import { chunksOf, cut, hashOf, keysBelow, patterned, sha256 } from '../../conformance/object-store.ts'
import { withFaults } from '../../build/with-faults.ts'

const body = patterned(300_000)
const stream = (): AsyncIterable<Uint8Array> => chunksOf(cut(body, [70_001]))

async function pulled(store: ObjectStore, key: string): Promise<{ bytes: number; error: unknown }> {
  let bytes = 0
  try {
    for await (const chunk of pullObject(store, key)) bytes += chunk.length
    return { bytes, error: undefined }
  } catch (error) {
    return { bytes, error }
  }
}

describe('a raw stream as an object with a manifest', () => {
  test.each([0, 1, 65_535, 65_536, 65_537, 300_000])('comes back whole at %i bytes', async (length) => {
    const store = new MemoryStore()
    const part = body.subarray(0, length)

    const manifest = await pushObject(store, 'k', chunksOf(cut(part, [10_007])))

    expect(manifest).toEqual({ sizeBytes: length, sha256: sha256(part) })
    expect(await hashOf(pullObject(store, 'k'))).toBe(sha256(part))
  })

  test('is refused before its first byte when its length differs', async () => {
    const store = new MemoryStore()
    await pushObject(store, 'k', stream())
    await store.put('k', body.subarray(1))

    expect(await pulled(store, 'k')).toMatchObject({ bytes: 0, error: { code: 'STORE_ALTERED' } })
  })

  test('is refused before its last 64 KiB when a byte differs', async () => {
    const store = new MemoryStore()
    await pushObject(store, 'k', stream())
    const altered = Buffer.from(body)
    altered[299_999] = (altered[299_999] ?? 0) ^ 1
    await store.put('k', altered)

    expect(await pulled(store, 'k')).toMatchObject({ bytes: 300_000 - 65_536, error: { code: 'STORE_ALTERED' } })
  })

  test('is refused when its manifest is damaged, absent itself, or of a newer engine', async () => {
    const store = new MemoryStore()
    await pushObject(store, 'k', stream())
    await store.put(manifestKey('k'), Buffer.from('{"format":'))
    expect(await pulled(store, 'k')).toMatchObject({ bytes: 0, error: { code: 'STORE_CHECKSUM' } })

    await store.put(manifestKey('k'), Buffer.from('{"format":"holdfast.dev/object-manifest","version":2}'))
    expect(await pulled(store, 'k')).toMatchObject({ bytes: 0, error: { code: 'STORE_REFUSED' } })

    await pushObject(store, 'k', stream())
    await store.delete('k')
    expect(await pulled(store, 'k')).toMatchObject({ bytes: 0, error: { code: 'STORE_NOT_FOUND' } })
  })

  test('is taken as it is when another tool wrote it', async () => {
    const store = new MemoryStore()
    await store.put('k', body)

    expect(await pulled(store, 'k')).toEqual({ bytes: 300_000, error: undefined })
  })

  test('is not pushed until its manifest is there', async () => {
    const memory = new MemoryStore()
    await pushObject(memory, 'k', chunksOf([Buffer.from('older')]))
    const denied = storeError('STORE_DENIED', 'no')
    const store = withFaults(memory, ({ method }) => (method === 'put' ? { fail: denied } : undefined))

    await expect(pushObject(store, 'k', stream())).rejects.toBe(denied)

    expect(await pulled(memory, 'k')).toMatchObject({ bytes: 0, error: { code: 'STORE_ALTERED' } })
  })
})

test('deleting an object takes what belongs to it and what is below it, and no neighbour', async () => {
  const store = new MemoryStore()
  await pushObject(store, 'a/k', stream())
  await pushObject(store, 'a/k/below', stream())
  const others = ['a/k.gz', 'a/k2', 'a/k.holdfas', 'a/kk/below', 'b']
  for (const key of [...others, 'a/k.holdfast-section-1']) await store.put(key, body)

  expect(await deleteObjectTree(store, 'a/k')).toBe(5)

  expect(await keysBelow(store, '')).toEqual(others.toSorted())
})
