import { afterAll, beforeAll } from 'vitest'
import { openStore } from '../../../src/store/location.ts'
import { decodeProfile } from '../../../src/store/profile-json.ts'
import { describeObjectStore } from '../../conformance/object-store.ts'
import { createGcsBucket, serviceAccountKey, startFakeGcs } from '../../harness/stores/fake-gcs.ts'
import type { StoreServer } from '../../harness/stores/server-process.ts'

let server: StoreServer
beforeAll(async () => {
  server = await startFakeGcs()
}, 600_000)
afterAll(async () => {
  await server?.stop()
})

describeObjectStore('Google Cloud Storage', async () => {
  await createGcsBucket(server.endpoint, 'conformance')
  const store = openStore(
    decodeProfile({
      Location: { type: 'gcs', bucket: 'conformance', endpoint: server.endpoint },
      Credential: { Type: 'keyPair', KeyPair: { ID: 'test', Secret: serviceAccountKey() } },
    }),
  )
  return { store, close: async () => store[Symbol.asyncDispose]() }
})
