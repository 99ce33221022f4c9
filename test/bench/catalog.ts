import { randomBytes } from 'node:crypto'
import { loadavg } from 'node:os'
import { CreateBucketCommand } from '@aws-sdk/client-s3'
import { deriveCatalogKey } from '../../src/catalog/catalog-key.ts'
import { listRecords } from '../../src/catalog/list-records.ts'
import { renderRecord, type BackupRecord } from '../../src/catalog/record.ts'
import { recordKey } from '../../src/catalog/record-key.ts'
import { openStore } from '../../src/store/location.ts'
import { listKeys, removeBucket } from '../harness/world/bucket.ts'
import { withS3 } from '../harness/world/fixtures.ts'
import { openWorld } from '../harness/world/world.ts'

/**
 * `npm run bench:catalog [-- records]`: records of 100 objects in a real S3, and how long it takes to list all of them, and those of one
 * object, beside a plain listing of the bucket by Amazon's client. The last line is one JSON object.
 */
const count = Number(process.argv[2] ?? '10000')
const objects = 100
const rounds = 5

const world = await openWorld()
const bucket = `bench-catalog-${randomBytes(4).toString('hex')}`
await withS3(world.s3, (client) => client.send(new CreateBucketCommand({ Bucket: bucket })))
const store = openStore({
  location: {
    type: 's3Compliant',
    bucket,
    endpoint: world.s3.endpoint,
    prefix: '',
    region: world.s3.region,
    caBundle: '',
    checksums: '',
  },
  skipSslVerify: false,
  credential: { type: 'keyPair', keyPair: { id: world.s3.accessKey, secret: world.s3.secretKey } },
})
try {
  await fill()
  const all = await medianMs(() => countOf(listRecords(store)), count)
  const one = await medianMs(() => countOf(listRecords(store, { object: objectOf(7) })), count / objects)
  const plain = await medianMs(() => withS3(world.s3, (client) => listKeys(client, bucket)).then((keys) => keys.length), count)
  const [load = 0] = loadavg()
  console.log(
    `${count} records listed in ${all} ms, those of one object in ${one} ms; a plain listing of the bucket takes ${plain} ms; load ${load.toFixed(1)}`,
  )
  console.log(JSON.stringify({ records: count, allMs: all, oneObjectMs: one, plainListingMs: plain, load }))
} finally {
  await store[Symbol.asyncDispose]()
  await withS3(world.s3, (client) => removeBucket(client, bucket))
}

function objectOf(index: number): BackupRecord['object'] {
  return { kind: 'StatefulSet', namespace: `shop-${index % 10}`, name: `db-${index}` }
}

async function fill(): Promise<void> {
  const key = deriveCatalogKey(randomBytes(32), 'bench')
  const next = Array.from({ length: count }, (_, index) => index).values()
  const writer = async (): Promise<void> => {
    for (const index of next) {
      const record = aRecord(index)
      await store.put(recordKey(record), Buffer.from(renderRecord(record, key)))
    }
  }
  await Promise.all(Array.from({ length: 32 }, writer))
}

function aRecord(index: number): BackupRecord {
  const at = new Date(Date.UTC(2026, 0, 1) + Math.floor(index / objects) * 3_600_000).toISOString()
  const uid = `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`
  return {
    id: `${uid}-0`,
    actionSet: { name: `backup-${index}`, namespace: 'holdfast', uid },
    action: 'backup',
    object: objectOf(index % objects),
    blueprint: { name: 'postgresql' },
    profile: {
      name: 'p',
      namespace: 'holdfast',
      location: { type: 's3Compliant', bucket, endpoint: '', prefix: '', region: '' },
      skipSSLVerify: false,
    },
    artifacts: { dump: { keyValue: { path: `pg/${index}` } } },
    phases: [],
    startedAt: at,
    finishedAt: at,
    installation: { id: 'bench' },
    engineVersion: '0',
  }
}

async function countOf(items: AsyncIterable<unknown>): Promise<number> {
  let found = 0
  for await (const _ of items) found += 1
  return found
}

/** Milliseconds, the median of some rounds. */
async function medianMs(work: () => Promise<number>, expected: number): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    const found = await work()
    if (found !== expected) throw new Error(`${found} records were listed, ${expected} are there`)
    times.push(Math.round(performance.now() - start))
  }
  return times.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0
}
