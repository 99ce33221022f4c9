import { S3Store } from '../../../src/store/s3.ts'
import { equalParts } from '../../../src/store/part-plan.ts'
import { withPrefix } from '../../../src/store/with-prefix.ts'
import { describeObjectStore } from '../../conformance/object-store.ts'
import { useTestBuckets } from '../../harness/s3/test-buckets.ts'
import { useWorld } from '../../harness/world/fixtures.ts'

const buckets = useTestBuckets(useWorld())

describeObjectStore('S3', async () => {
  const store = new S3Store(await buckets.create())
  return { store, close: () => store.close() }
})

describeObjectStore('S3 without checksum headers, in equal parts, below a prefix', async () => {
  const plan = { ...equalParts, steps: [{ parts: Infinity, bytes: 5 * 1024 * 1024 }] }
  const store = new S3Store({ ...(await buckets.create()), checksums: 'off' }, plan)
  return { store: withPrefix(store, 'deep/er'), close: () => store.close() }
})

describeObjectStore('S3 with small growing parts and sections', async () => {
  const MiB = 1024 * 1024
  // Streams of more than 10 MiB go through sections here.
  const plan = {
    steps: [{ parts: Infinity, bytes: 5 * MiB }],
    directParts: 2,
    sectionParts: 1,
    maxParts: 10_000,
    memoryBytes: 15 * MiB,
  }
  const store = new S3Store({ ...(await buckets.create()), checksums: 'required' }, plan)
  return { store, close: () => store.close() }
})
