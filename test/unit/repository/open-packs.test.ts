import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { createSealer } from '../../../src/repository/format/seal.ts'
import { OpenPacks } from '../../../src/repository/pipeline/open-packs.ts'
import { type BuiltPack, dataPackBytes } from '../../../src/repository/pipeline/pack-builder.ts'

const sealer = createSealer({ encrypt: randomBytes(32), macK: randomBytes(16), macR: randomBytes(16) })
const MiB = 1 << 20

function openPacks(): { readonly packs: OpenPacks; readonly given: BuiltPack[] } {
  const given: BuiltPack[] = []
  return { packs: new OpenPacks(sealer, { filling: 1, buffers: 1 }, (pack) => given.push(pack)), given }
}

async function add(packs: OpenPacks, type: 'data' | 'tree', sizeBytes: number): Promise<void> {
  const parts = sealer.sealParts(Buffer.alloc(sizeBytes, 1))
  const pack = await packs.open(type, sizeBytes)
  pack.append(randomBytes(32), parts, undefined)
  packs.closeIfFull(pack)
}

test('a pack is not begun before a buffer is back from the store, and trees do not take the one of data', async () => {
  const { packs, given } = openPacks()
  await add(packs, 'data', 17 * MiB)
  await add(packs, 'tree', MiB)
  let begun = false
  const next = add(packs, 'data', MiB).then(() => (begun = true))
  await new Promise(setImmediate)
  expect([given.length, begun]).toEqual([1, false])

  packs.giveBack(given[0]?.buffer as SharedArrayBuffer)

  await next
  packs.closeAll()
  expect(given.map(({ type }) => type)).toEqual(['data', 'data', 'tree'])
})

test('a directory longer than a pack goes away in memory of its own, and the next one has a buffer again', async () => {
  const { packs, given } = openPacks()
  await add(packs, 'tree', dataPackBytes)
  await add(packs, 'tree', 13 * MiB)
  await add(packs, 'tree', dataPackBytes)

  packs.closeAll()

  expect(given.map(({ buffer, sizeBytes }) => [buffer instanceof SharedArrayBuffer, sizeBytes > dataPackBytes])).toEqual([
    [false, true],
    [true, false],
    [false, true],
  ])
})
