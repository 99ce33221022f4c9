import { fc } from '../../build/properties.ts'
import { describe, expect, test } from 'vitest'
import { deriveCatalogKey } from '../../../src/catalog/catalog-key.ts'
import { appendLink, checkChain, readChain, recordLink, type ChainPlace } from '../../../src/catalog/chain-store.ts'
import {
  nextLink,
  parseLink,
  renderLink,
  stateOf,
  verifyChain,
  type Link,
  type LinkContent,
} from '../../../src/catalog/chain.ts'
import { recordKey } from '../../../src/catalog/record-key.ts'
import { MemoryStore } from '../../../src/store/memory.ts'

const key = deriveCatalogKey(Buffer.alloc(32, 1), 'aaaa1111')
const object = { kind: 'StatefulSet', name: 'db', namespace: 'shop' }

function place(store = new MemoryStore()): ChainPlace & { readonly location: MemoryStore } {
  return { location: store, installation: 'i', object, key }
}

/** Writes a record (its contents do not matter here) and its link. */
async function backUp(at: ChainPlace, index: number): Promise<string> {
  const startedAt = new Date(Date.UTC(2026, 0, 1, index)).toISOString()
  const where = recordKey({ id: `b${index}`, object, startedAt })
  const bytes = Buffer.from(`record ${index}`)
  await at.location.put(where, bytes)
  await appendLink(at, recordLink(`b${index}`, where, bytes, startedAt))
  return where
}

const linkKey = (seq: number): string => `holdfast/chain/i/shop/statefulset-db/000000000${seq}.json`

describe('a chain', () => {
  test('that nobody touched has nothing to say', async () => {
    const at = place()
    for (let index = 0; index < 4; index++) await backUp(at, index)
    expect(await checkChain(at)).toEqual([])
    expect((await readChain(at)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4])
  })

  test('says that a record is gone, unless it says itself that it was removed', async () => {
    const at = place()
    const where = await backUp(at, 0)
    await backUp(at, 1)
    await at.location.delete(where)
    expect(await checkChain(at)).toMatchObject([{ kind: 'missing-record', message: expect.stringContaining('b0') }])
    await appendLink(at, { kind: 'tombstone', record: 'b0', at: '2026-02-01T00:00:00Z', note: 'no rule keeps it' })
    expect(await checkChain(at)).toEqual([])
  })

  test('says that a record was exchanged', async () => {
    const at = place()
    const [one, two] = [await backUp(at, 0), await backUp(at, 1)]
    await at.location.put(one, await at.location.get(two))
    expect(await checkChain(at)).toMatchObject([{ kind: 'altered-record', message: expect.stringContaining(one) }])
  })

  test('says that a record was brought back that had been removed, or put there by somebody', async () => {
    const at = place()
    await backUp(at, 0)
    const stray = recordKey({ id: 'x', object, startedAt: '2026-03-01T00:00:00Z' })
    await at.location.put(stray, Buffer.from('x'))
    expect(await checkChain(at)).toMatchObject([{ kind: 'unlinked-record', message: expect.stringContaining(stray) }])
  })

  test('says which of its links are missing', async () => {
    const at = place()
    for (let index = 0; index < 4; index++) await backUp(at, index)
    await at.location.deleteMany([linkKey(2), linkKey(3)])
    const problems = await checkChain(at)
    expect(problems[0]).toMatchObject({ kind: 'gap', message: 'the chain lacks links 2 to 3' })
    expect(problems.map(({ kind }) => kind).slice(1)).toEqual(['unlinked-record', 'unlinked-record'])
  })

  test('says which link was changed or signed by another', async () => {
    const at = place()
    for (let index = 0; index < 3; index++) await backUp(at, index)
    const text = Buffer.from(await at.location.get(linkKey(2))).toString()
    await at.location.put(linkKey(2), Buffer.from(text.replace('"b1"', '"b9"')))
    expect(await checkChain(at)).toMatchObject([
      { kind: 'unreadable', message: expect.stringContaining(linkKey(2)) },
      { kind: 'gap' },
      { kind: 'unlinked-record' },
    ])
  })

  test('rolled back to an earlier state shows it by the records that it does not know', async () => {
    const at = place()
    for (let index = 0; index < 3; index++) await backUp(at, index)
    await at.location.delete(linkKey(3))
    expect(await checkChain(at)).toMatchObject([{ kind: 'unlinked-record' }])
  })
})

describe('appending', () => {
  test('the same thing again, as after a crash, adds nothing', async () => {
    const at = place()
    await backUp(at, 0)
    await backUp(at, 0)
    const tombstone: LinkContent = { kind: 'tombstone', record: 'b0', at: '2026-02-01T00:00:00Z' }
    await appendLink(at, tombstone)
    await appendLink(at, { ...tombstone, at: '2026-02-01T00:00:09Z' })
    expect((await readChain(at)).map(({ kind }) => kind)).toEqual(['record', 'tombstone'])
  })

  test('by two at once gives both a place', async () => {
    const at = place()
    await Promise.all([backUp(at, 0), backUp(at, 1), backUp(at, 2)])
    expect(await checkChain(at)).toEqual([])
    expect(await readChain(at)).toHaveLength(3)
  })

  test('a pin, its end, and a pin again are each said', async () => {
    const at = place()
    await backUp(at, 0)
    const pin = (kind: 'pin' | 'unpin', minute: number): Promise<Link> =>
      appendLink(at, { kind, record: 'b0', note: 'audit', at: `2026-02-01T00:0${minute}:00Z` })
    await pin('pin', 1)
    expect(stateOf(await readChain(at)).backups.get('b0')?.pinned).toBe('audit')
    await pin('unpin', 2)
    expect(stateOf(await readChain(at)).backups.get('b0')?.pinned).toBeUndefined()
    await pin('pin', 3)
    await pin('pin', 4)
    expect(await readChain(at)).toHaveLength(4)
  })
})

test('any one change to a chain is found', () => {
  const links: Link[] = []
  for (let index = 0; index < 6; index++)
    links.push(
      nextLink(links.at(-1), {
        kind: 'record',
        record: `b${index}`,
        recordKey: `k${index}`,
        recordSha256: `${index}`,
        at: 'now',
      }),
    )
  const records = new Map(links.map((link) => [link.recordKey ?? '', link.recordSha256 ?? '']))
  expect(verifyChain({ links, records })).toEqual([])
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 5 }), fc.constantFrom('remove', 'swap', 'edit', 'drop-record'), (at, change) => {
      const altered = [...links]
      const kept = new Map(records)
      if (change === 'remove') altered.splice(at, 1)
      if (change === 'swap') altered.splice(at, 2, ...altered.slice(at, at + 2).toReversed())
      if (change === 'edit') altered[at] = { ...(altered[at] as Link), note: 'x' }
      if (change === 'drop-record') kept.delete(`k${at}`)
      // The last one has no follower that would show it: its signature does.
      if (at === 5 && (change === 'swap' || change === 'edit')) return
      expect(verifyChain({ links: altered, records: kept })).not.toEqual([])
    }),
    { numRuns: 100 },
  )
})

test('a link whose text is no link is said to be none', () => {
  const text = renderLink(nextLink(undefined, { kind: 'record', record: 'b', at: 'now' }), key)
  expect(parseLink(text, 'x', key).record).toBe('b')
  expect(() => parseLink('{}', 'object "k"', key)).toThrow('object "k" is no link')
  expect(() => parseLink('not json', 'x', key)).toThrow('is no link')
  expect(() => parseLink(text, 'x', deriveCatalogKey(Buffer.alloc(32, 2), 'bbbb2222'))).toThrow('was not signed by')
})
