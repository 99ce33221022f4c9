import { expect, test } from 'vitest'
import { MemoryStore } from '../../../src/store/memory.ts'
import { withReadOnly } from '../../../src/store/with-read-only.ts'
import { chunksOf, keysBelow } from '../../conformance/object-store.ts'

test('a store opened for reading refuses every change and reads on', async () => {
  const store = new MemoryStore()
  await store.put('k', Buffer.from('x'))
  const readOnly = withReadOnly(store)

  const refused = { code: 'STORE_READ_ONLY' }
  await expect(readOnly.put('k', Buffer.from('y'))).rejects.toMatchObject(refused)
  await expect(readOnly.putStream('k', chunksOf([]))).rejects.toMatchObject(refused)
  await expect(readOnly.delete('k')).rejects.toMatchObject(refused)
  await expect(readOnly.deleteMany(['k'])).rejects.toMatchObject(refused)

  expect(Buffer.from(await readOnly.get('k')).toString()).toBe('x')
  expect(await keysBelow(readOnly, '')).toEqual(['k'])
})
