import { afterAll, beforeAll } from 'vitest'
import { S3Store } from '../../../src/store/s3.ts'
import { equalParts } from '../../../src/store/s3/part-plan.ts'
import { withPrefix } from '../../../src/store/with-prefix.ts'
import { describeObjectStore } from '../../conformance/object-store.ts'
import { type S3Server, startVersitygw } from '../../harness/s3/versitygw.ts'
import { versitygwProgram } from '../../harness/s3/program.ts'

let server: S3Server
beforeAll(async () => {
  server = await startVersitygw(await versitygwProgram())
})
afterAll(async () => {
  await server?.stop()
})

describeObjectStore('S3', async () => {
  const store = new S3Store(await server.bucket('plain'))
  return { store, close: () => store.close() }
})

describeObjectStore('S3 without checksum headers, in equal parts, below a prefix', async () => {
  const plan = { ...equalParts, steps: [{ parts: Infinity, bytes: 5 * 1024 * 1024 }] }
  const store = new S3Store({ ...(await server.bucket('equal')), checksums: 'off', region: 'us-east-1' }, plan)
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
  const store = new S3Store({ ...(await server.bucket('sections')), checksums: 'required' }, plan)
  return { store, close: () => store.close() }
})
