import { describe, expect, test } from 'vitest'
import { deriveCatalogKey } from '../../../src/catalog/catalog-key.ts'
import { appendLink, readChain } from '../../../src/catalog/chain-store.ts'
import { parseHeader, parseRecord, renderRecord, type BackupRecord } from '../../../src/catalog/record.ts'

import { MemoryStore } from '../../../src/store/memory.ts'

const key = deriveCatalogKey(Buffer.alloc(32, 1), 'aaaa1111')
const other = deriveCatalogKey(Buffer.alloc(32, 2), 'bbbb2222')

const record: BackupRecord = {
  id: 'u1-0',
  actionSet: { name: 'nightly-1', namespace: 'kanister', uid: 'u1' },
  action: 'backup',
  object: { kind: 'StatefulSet', name: 'db', namespace: 'shop' },
  blueprint: { name: 'postgres' },
  profile: {
    name: 'p',
    namespace: 'kanister',
    location: { type: 's3Compliant', bucket: 'b', endpoint: '', prefix: '', region: '' },
    skipSSLVerify: false,
  },
  artifacts: { dump: { keyValue: { password: 'open-sesame' } } },
  phases: [],
  startedAt: '2026-01-01T00:00:00Z',
  finishedAt: '2026-01-02T00:00:00Z',
  installation: { id: 'i', cluster: 'c' },
  engineVersion: '0.1.0',
}

describe('a record in the bucket', () => {
  const text = renderRecord(record, key)

  test('says to everybody what it is, and to nobody what the phases reported', () => {
    expect(parseHeader(text, 'x')).toMatchObject({ id: 'u1-0', object: { name: 'db' }, key: 'aaaa1111' })
    expect(text).not.toContain('open-sesame')
  })

  test('is read whole with the recovery key', () => {
    expect(parseRecord(text, 'x', key)).toEqual(record)
  })

  test('names the key that opens it, and the one that was tried', () => {
    expect(() => parseRecord(text, 'object "k"')).toThrow('object "k" opens by the recovery key with the fingerprint aaaa1111')
    expect(() => parseRecord(text, 'x', other)).toThrow('aaaa1111, not by bbbb2222')
  })

  test.each([
    ['its readable part was edited', (from: string) => from.replace('"shop"', '"shoq"')],
    [
      'its seal was edited',
      (from: string) =>
        from.replace(/("sealed": ".{40})(.)/, (_all, start: string, letter: string) => start + (letter === 'A' ? 'B' : 'A')),
    ],
    ['its seal is another record’s', (from: string) => from.replace(/"sealed": "[^"]+"/, sealOf({ ...record, id: 'u2-0' }))],
    ['its seal is cut off', (from: string) => from.replace(/"sealed": "[^"]+"/, '"sealed": "AAAA"')],
  ])('is refused when %s', (_what, change) => {
    const changed = change(text)
    expect(changed).not.toBe(text)
    expect(() => parseRecord(changed, 'x', key)).toThrow('was changed after it was written')
  })

  test('of the first version, which was not sealed, is still read', () => {
    const old = JSON.stringify({ format: 'holdfast.dev/backup-record', version: 1, record })
    expect(parseRecord(old, 'x')).toEqual(record)
    expect(parseHeader(old, 'x').id).toBe('u1-0')
  })

  test('lacking its seal, or with a header that is none, is refused with what is wrong', () => {
    expect(() => parseRecord(text.replace('"sealed"', '"saeled"'), 'x', key)).toThrow('lacks its record')
    expect(() => parseHeader(text.replace('"startedAt"', '"began"'), 'x')).toThrow('startedAt')
  })
})

function sealOf(another: BackupRecord): string {
  return /"sealed": "[^"]+"/.exec(renderRecord(another, key))?.[0] ?? ''
}

test('after the recovery key was exchanged, what was written before still opens, and a chain goes on', async () => {
  const rotated = { ...other, previous: [key] }
  expect(parseRecord(renderRecord(record, key), 'x', rotated)).toEqual(record)
  expect(parseHeader(renderRecord(record, rotated), 'x').key).toBe('bbbb2222')

  const location = new MemoryStore()
  const place = { location, installation: 'i', object: record.object }
  await appendLink({ ...place, key }, { kind: 'record', record: 'a', at: 'then' })
  await appendLink({ ...place, key: rotated }, { kind: 'record', record: 'b', at: 'now' })
  expect((await readChain({ ...place, key: rotated })).map(({ record: id }) => id)).toEqual(['a', 'b'])
  await expect(readChain({ ...place, key: other })).rejects.toThrow('was not signed by')
})
