import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { maxHeaderBytes, parseHeader } from '../../../src/repository/format/pack-header.ts'
import { createSealer } from '../../../src/repository/format/seal.ts'
import { PackBuilder, dataPackBytes } from '../../../src/repository/pipeline/pack-builder.ts'

const sealer = createSealer({ encrypt: randomBytes(32), macK: randomBytes(16), macR: randomBytes(16) })

test('a pack of tiny blobs is full before restic could not read its header, and stays in the memory that was given', () => {
  const buffer = new SharedArrayBuffer(dataPackBytes)
  const pack = new PackBuilder('data', buffer)
  const parts = sealer.sealParts(Buffer.from('x'))
  let count = 0
  for (; !pack.isFull; count++) pack.append(randomBytes(32), parts, undefined)

  const built = pack.build(sealer)

  expect(built.buffer).toBe(buffer)
  expect(built.header.length).toBeLessThan(maxHeaderBytes)
  expect(parseHeader(built.header, 'pack')).toHaveLength(count)
})

test('a pack with enough in it is closed rather than made longer than 16 MiB', () => {
  const pack = new PackBuilder('data', new SharedArrayBuffer(dataPackBytes))
  const four = sealer.sealParts(randomBytes(4 << 20))
  const sizes = [1, 2, 3].map(() => pack.append(randomBytes(32), four, undefined))

  expect(sizes.every((size) => size === (4 << 20) + 32)).toBe(true)
  expect([pack.hasRoomFor(3 << 20), pack.hasRoomFor(5 << 20), pack.isFull]).toEqual([true, false, false])
})
