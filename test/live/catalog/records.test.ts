import { expect, test } from 'vitest'
import { deriveCatalogKey } from '../../../src/catalog/catalog-key.ts'
import { listRecords, readRecords } from '../../../src/catalog/list-records.ts'
import { type BackupRecord, renderRecord } from '../../../src/catalog/record.ts'
import { recordKey } from '../../../src/catalog/record-key.ts'
import { S3Store } from '../../../src/store/s3.ts'
import { withPrefix } from '../../../src/store/with-prefix.ts'
import { useTestBuckets } from '../../harness/s3/test-buckets.ts'
import { useWorld } from '../../harness/world/fixtures.ts'

const key = deriveCatalogKey(Buffer.alloc(32, 1), 'abcd1234')
const buckets = useTestBuckets(useWorld())

function aRecord(index: number): BackupRecord {
  return {
    id: `u${index}-0`,
    actionSet: { name: `backup-${index}`, namespace: 'kanister', uid: `u${index}` },
    action: 'backup',
    object: { kind: 'StatefulSet', name: `db${index % 2}`, namespace: 'shop' },
    blueprint: { name: 'postgres' },
    profile: {
      name: 'p',
      namespace: 'kanister',
      location: { type: 's3Compliant', bucket: 'b', endpoint: '', prefix: '', region: '' },
      skipSSLVerify: false,
    },
    artifacts: {},
    phases: [],
    startedAt: new Date(Date.UTC(2026, 0, 1) + index * 1000).toISOString(),
    finishedAt: '2026-01-02T00:00:00Z',
    installation: { id: 'i' },
    engineVersion: '0.1.0',
  }
}

test('records in a bucket are listed by object and time, and read in the same order', async () => {
  await using bucket = new S3Store(await buckets.create())
  const location = withPrefix(bucket, 'team')
  const records = Array.from({ length: 40 }, (_, index) => aRecord(index))
  for (const record of records.toReversed()) await location.put(recordKey(record), Buffer.from(renderRecord(record, key)))

  const listed: string[] = []
  for await (const { id } of listRecords(location, { namespace: 'shop' })) listed.push(id)
  const read: string[] = []
  for await (const each of readRecords(location, { key, object: { kind: 'StatefulSet', name: 'db1', namespace: 'shop' } })) {
    read.push('record' in each ? each.record.id : each.problem.code)
  }

  const [even, odd] = [0, 1].map((rest) => records.filter((_, index) => index % 2 === rest).map(({ id }) => id))
  expect(listed).toEqual([...(even ?? []), ...(odd ?? [])])
  expect(read).toEqual(odd)
})
