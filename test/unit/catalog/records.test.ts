import { describe, expect, test } from 'vitest'
import type { Run } from '../../../src/api/run.ts'
import { buildRecord } from '../../../src/catalog/build-record.ts'
import { deriveCatalogKey } from '../../../src/catalog/catalog-key.ts'
import { getRecord, listRecords, readRecords } from '../../../src/catalog/list-records.ts'
import { parseRecord, renderRecord } from '../../../src/catalog/record.ts'
import { findRecordKey, isKeyOf, recordKey } from '../../../src/catalog/record-key.ts'
import { createRecordWriter } from '../../../src/catalog/write-record.ts'
import { MemoryStore } from '../../../src/store/memory.ts'
import { decodeProfile } from '../../../src/store/profile-json.ts'
import { withPrefix } from '../../../src/store/with-prefix.ts'

const profile = decodeProfile({
  Location: { type: 's3Compliant', bucket: 'b', endpoint: 'http://s3', prefix: 'team', region: 'r' },
  Credential: { Type: 'keyPair', KeyPair: { ID: 'id', Secret: 'very/secret"value' } },
})
const author = { installationId: 'inst', engineVersion: '0.1.0' }
const key = deriveCatalogKey(Buffer.alloc(32, 1), 'abcd1234')
const signal = new AbortController().signal

function aRun(
  change: { readonly uid?: string; readonly startedAt?: string; readonly artifact?: string; readonly name?: string } = {},
): Run {
  const { uid = 'u1', startedAt = '2026-11-21T10:00:00Z', artifact = 'pg/1', name = 'db' } = change
  return {
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'Run',
    metadata: { name: `run-${uid}`, namespace: 'kanister', uid: 'r', resourceVersion: '1' },
    spec: {
      actionSet: { name: 'backup-abc', uid },
      actions: [
        {
          action: {
            name: 'backup',
            blueprint: 'postgres',
            object: { kind: 'StatefulSet', name, namespace: 'shop' },
            profile: { name: 'main', namespace: 'kanister' },
          },
          blueprintHash: 'abc',
          blueprint: { phases: [{ name: 'dump', func: 'BackupStream', args: {} }] },
        },
      ],
    },
    status: {
      state: 'running',
      actions: {
        '0': {
          state: 'running',
          dispatch: 1,
          fence: { owner: 'w', instance: 'i', attempt: 1 },
          phases: [{ name: 'dump', state: 'complete', output: { snapshotId: 's1' }, endedAt: '2026-11-21T10:05:00Z' }],
          artifacts: { dump: { keyValue: { path: artifact } } },
          startedAt,
        },
      },
    },
  }
}

describe('the record of a backup', () => {
  test('says what it is, where its data is and who made it, without credentials', () => {
    const record = buildRecord({ run: aRun(), actionIndex: 0, profile }, author)

    expect(record).toMatchObject({
      id: 'u1-0',
      actionSet: { name: 'backup-abc', namespace: 'kanister' },
      action: 'backup',
      object: { kind: 'StatefulSet', name: 'db' },
      blueprint: { name: 'postgres', sha256: 'abc', action: { phases: [{ name: 'dump' }] } },
      profile: { name: 'main', location: { bucket: 'b', prefix: 'team' } },
      artifacts: { dump: { keyValue: { path: 'pg/1' } } },
      phases: [{ name: 'dump', func: 'BackupStream', output: { snapshotId: 's1' } }],
      startedAt: '2026-11-21T10:00:00Z',
      finishedAt: '2026-11-21T10:05:00Z',
      installation: { id: 'inst' },
    })
    expect(JSON.stringify(record)).not.toContain('secret')
  })

  test('masks credentials that a Blueprint put into an artifact', () => {
    const artifact = JSON.stringify({ key: 'very/secret"value' })

    const record = buildRecord({ run: aRun({ artifact }), actionIndex: 0, profile }, author)

    expect(record.artifacts['dump']?.keyValue?.['path']).toBe('{"key":"***"}')
  })

  test('is written as text that is read back the same', () => {
    const record = buildRecord({ run: aRun(), actionIndex: 0, profile }, author)

    expect(parseRecord(renderRecord(record, key), 'x', key)).toEqual(record)
  })

  test.each([
    ['{', 'CATALOG_BAD_RECORD', 'not JSON'],
    ['{}', 'CATALOG_BAD_RECORD', 'format'],
    ['{"format":"holdfast.dev/backup-record","version":3,"record":{}}', 'CATALOG_NEWER_RECORD', 'use a newer engine'],
    ['{"format":"holdfast.dev/backup-record","version":1,"record":{}}', 'CATALOG_BAD_RECORD', 'not a record'],
  ])('that cannot be read is refused: %s', (json, code, text) => {
    expect(() => parseRecord(json, 'object "k"')).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(text) }),
    )
    expect(() => parseRecord(json, 'object "k"')).toThrow('object "k"')
  })
})

describe('the key of a record', () => {
  test('is made of object and time and can be read back', () => {
    const key = recordKey(buildRecord({ run: aRun(), actionIndex: 0, profile }, author))

    expect(key).toBe('holdfast/records/shop/statefulset-db/20261121T100000Z-u1-0.json')
    const startedAt = Date.UTC(2026, 10, 21, 10)
    expect(findRecordKey(key)).toEqual({ namespace: 'shop', kind: 'statefulset', name: 'db', startedAt, id: 'u1-0' })
  })

  test.each([
    [{ kind: 'Namespace', name: 'shop' }, 'holdfast/records/shop/namespace-shop/'],
    [{ group: 'g', resource: 'widgets', name: 'a/..' }, 'holdfast/records/_cluster/widgets-a%2F../'],
    [{}, 'holdfast/records/_cluster/object-/'],
  ])('stays within its folder for the object %j', (object, folder) => {
    const key = recordKey({ id: 'x', object, startedAt: '2026-11-21T10:00:00Z' })

    expect(key).toBe(`${folder}20261121T100000Z-x.json`)
    expect(findRecordKey(key)?.id).toBe('x')
  })

  test('is not seen in other things', () => {
    expect(findRecordKey('holdfast/records/shop/statefulset-db/readme.txt')).toBeUndefined()
  })
})

describe('records in a location', () => {
  test('are written below the prefix, again under the same key, and listed by object and time', async () => {
    const bucket = new MemoryStore()
    const write = createRecordWriter({ ...author, openStore: async () => bucket, catalogKey: async () => key })
    const runs = [
      aRun({ uid: 'late', startedAt: '2026-11-21T12:00:00Z' }),
      aRun({ uid: 'early' }),
      aRun({ uid: 'other', name: 'db2' }),
    ]
    for (const run of [...runs, ...runs]) await write({ run, actionIndex: 0, profile }, signal)
    const location = withPrefix(bucket, 'team')
    await location.put('holdfast/records/shop/statefulset-db/20261121T110000Z-bad-0.json', Buffer.from('{"no'))

    expect((await all(listRecords(location))).map(({ id }) => id)).toEqual(['early-0', 'bad-0', 'late-0', 'other-0'])
    const ofOne = { object: { kind: 'StatefulSet', name: 'db', namespace: 'shop' } }
    const read = await all(readRecords(location, { ...ofOne, key }))
    expect(read.map((each) => ('record' in each ? each.record.id : each.problem.code))).toEqual([
      'early-0',
      'CATALOG_BAD_RECORD',
      'late-0',
    ])
    expect(await all(listRecords(location, { namespace: 'elsewhere' }))).toEqual([])
    expect((await getRecord(location, read[0]?.key ?? '', { key })).id).toBe('early-0')
  })
})

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

test('the record of an object that was named by its resource alone, as by kanctl -O, is found again', () => {
  const object = { apiVersion: 'v1', group: 'apps', resource: 'deployments', kind: '', name: 'web', namespace: 'shop' }
  const record = { id: 'u1-0', object, startedAt: '2026-11-21T10:00:00Z' }
  const written = recordKey(record)
  const before = 'holdfast/records/shop/-web/20261121T100000Z-u1-0.json'

  expect(findRecordKey(written)).toMatchObject({ namespace: 'shop', kind: 'deployments', name: 'web', id: 'u1-0' })
  expect(findRecordKey(before)).toMatchObject({ kind: '', name: 'web' })
  expect([isKeyOf(written, record), isKeyOf(before, record), isKeyOf(before, { ...record, id: 'u2-0' })]).toEqual([
    true,
    true,
    false,
  ])
})
