import { fc } from '../../build/properties.ts'
import { expect, test } from 'vitest'
import { BlobIndex } from '../../../src/repository/blob-index.ts'
import { sha256 } from '../../../src/repository/format/ids.ts'
import { createIdTable, findId, idKey, insertId } from '../../../src/repository/id-table.ts'

const id = (n: number): Buffer => sha256(Buffer.from(String(n)))

test('an id is new once, and data and trees of one content are two things', () => {
  const table = createIdTable(1024, 0)

  expect(insertId(table, idKey(id(1), false)).added).toBe(true)
  expect(insertId(table, idKey(id(1), false)).added).toBe(false)
  expect(insertId(table, idKey(id(1), true)).added).toBe(true)
  expect(findId(table, idKey(id(2), false))).toBe(-1)
})

test('a table that is full still answers', () => {
  const table = createIdTable(1024, 0)
  for (let n = 0; n < 1024; n++) insertId(table, idKey(id(n), false))

  expect(insertId(table, idKey(id(5000), false))).toEqual({ at: -1, added: true })
  expect(findId(table, idKey(id(5000), false))).toBe(-1)
  expect(findId(table, idKey(id(77), false))).toBeGreaterThanOrEqual(0)
})

test('an index finds every blob of every pack while it grows, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 3000 }), { maxLength: 12 }), (sizes) => {
      const index = new BlobIndex()
      let next = 0
      for (const [number, size] of sizes.entries()) {
        const blobs = Array.from({ length: size }, (_, i) => ({
          id: id(next++).toString('hex'),
          type: 'data' as const,
          offset: i * 40,
          length: 4_000_000_000,
          ...(i % 2 ? { uncompressedLength: i } : {}),
        }))
        index.addPack({ id: id(-number - 1).toString('hex'), blobs })
      }
      expect(index.blobCount).toBe(next)
      const [size = 0] = sizes
      if (size > 1) {
        const expected = { pack: id(-1).toString('hex'), offset: 40, length: 4_000_000_000, uncompressedLength: 1 }
        expect(index.find('data', id(1).toString('hex'))).toEqual(expected)
      }
      expect(index.find('tree', id(0).toString('hex'))).toBeUndefined()
      expect(index.find('data', id(next).toString('hex'))).toBeUndefined()
    }),
    { numRuns: 30 },
  )
})
