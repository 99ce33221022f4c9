import { describe, expect, test } from 'vitest'
import { deriveCatalogKey } from '../../../src/catalog/catalog-key.ts'
import { appendLink, checkChain, readChain, recordLink, type ChainPlace } from '../../../src/catalog/chain-store.ts'
import { stateOf } from '../../../src/catalog/chain.ts'
import { listProofMarks, removeProofMarks } from '../../../src/catalog/proof-marks.ts'
import { lastProof, proofsOf, writeProof, type Proof } from '../../../src/catalog/proof.ts'
import { recordKey } from '../../../src/catalog/record-key.ts'
import { MemoryStore } from '../../../src/store/memory.ts'

const object = { kind: 'StatefulSet', name: 'db', namespace: 'shop' }
const startedAt = '2026-01-01T00:00:00Z'
const hour = (count: number): number => Date.parse(startedAt) + count * 3_600_000

async function place(): Promise<ChainPlace> {
  const at = {
    location: new MemoryStore(),
    installation: 'i',
    object,
    key: deriveCatalogKey(Buffer.alloc(32, 1), 'aaaa1111'),
  }
  const where = recordKey({ id: 'b0', object, startedAt })
  await at.location.put(where, Buffer.from('record'))
  await appendLink(at, recordLink('b0', where, Buffer.from('record'), startedAt))
  return at
}

function proof(uid: string, hours: number, state: Proof['state'] = 'proven'): Parameters<typeof writeProof>[1] {
  return {
    recordId: 'b0',
    at: hour(hours),
    state,
    details: { verification: `v-${uid}`, uid, seconds: 42, steps: [{ name: 'restore', state: 'complete' }] },
    ...(state === 'failed' ? { message: 'orders: recorded 12, found 11' } : {}),
  }
}

describe('a proof', () => {
  test('stands in the chain, which stays sound, and is read back', async () => {
    const at = await place()
    expect(await writeProof(at, proof('u1', 1))).toBe('holdfast/chain/i/shop/statefulset-db/0000000002.json')
    expect(await checkChain(at)).toEqual([])
    const links = await readChain(at)
    expect(lastProof(links, 'b0')).toEqual(proof('u1', 1))
    expect(lastProof(links, 'b1')).toBeUndefined()
    expect(stateOf(links).backups.get('b0')?.proof?.good).toBe(true)
  })

  test('is told once, also when it is told again after a crash and at another time', async () => {
    const at = await place()
    const key = await writeProof(at, proof('u1', 1))
    expect(await writeProof(at, proof('u1', 2))).toBe(key)
    expect(await writeProof(at, proof('u2', 2))).not.toBe(key)
    expect(await readChain(at)).toHaveLength(3)
  })

  test('that failed does not make the success before it forgotten', async () => {
    const at = await place()
    await writeProof(at, proof('u1', 1))
    await writeProof(at, proof('u2', 5, 'failed'))
    const { last, lastProven } = proofsOf(await readChain(at)).get('b0') ?? {}
    expect(last).toMatchObject({ state: 'failed', message: 'orders: recorded 12, found 11', at: hour(5) })
    expect(lastProven?.at).toBe(hour(1))
  })

  test('by another installation is in its own chain, and the newest of all chains counts', async () => {
    const at = await place()
    const other = { ...at, installation: 'test-cluster' }
    await writeProof(other, proof('u9', 9))
    await writeProof(at, proof('u1', 1, 'failed'))
    expect(await checkChain(at)).toEqual([])
    const links = [...(await readChain(other)), ...(await readChain(at))]
    expect(lastProof(links, 'b0')).toMatchObject({ state: 'proven', at: hour(9) })
  })

  test('keeps its message short, since each look at a chain reads all links', async () => {
    const at = await place()
    await writeProof(at, { ...proof('u1', 1, 'failed'), message: 'x'.repeat(100_000) })
    expect(lastProof(await readChain(at), 'b0')?.message).toHaveLength(1_000)
  })

  test('has a mark by which a listing finds its link, and that goes with the backup', async () => {
    const at = await place()
    const first = await writeProof(at, proof('u1', 1))
    const second = await writeProof({ ...at, installation: 'test cluster/2' }, proof('u2', 5, 'failed'))
    await writeProof(at, proof('u1', 3))

    const marks = await listProofMarks(at.location, { namespace: 'shop' })
    expect(marks.get('b0')).toEqual([
      { recordId: 'b0', at: hour(5), state: 'failed', link: second },
      { recordId: 'b0', at: hour(1), state: 'proven', link: first },
    ])
    expect((await listProofMarks(at.location, { object })).size).toBe(1)
    expect((await listProofMarks(at.location, { namespace: 'elsewhere' })).size).toBe(0)
    await removeProofMarks(at.location, object, 'b0')
    expect((await listProofMarks(at.location)).size).toBe(0)
  })
})
