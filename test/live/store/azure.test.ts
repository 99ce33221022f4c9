import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob'
import { afterAll, beforeAll } from 'vitest'
import { openStore } from '../../../src/store/location.ts'
import { decodeProfile } from '../../../src/store/profile-json.ts'
import { describeObjectStore } from '../../conformance/object-store.ts'
import { azuriteAccount, startAzurite } from '../../harness/stores/azurite.ts'
import type { StoreServer } from '../../harness/stores/server-process.ts'

let server: StoreServer
beforeAll(async () => {
  server = await startAzurite()
}, 600_000)
afterAll(async () => {
  await server?.stop()
})

const { name, key } = azuriteAccount

describeObjectStore('Azure Blob Storage', async () => {
  const endpoint = `${server.endpoint}/${name}`
  const service = new BlobServiceClient(endpoint, new StorageSharedKeyCredential(name, key))
  await service.createContainer('conformance')
  const store = openStore(
    decodeProfile({
      Location: { type: 'azure', bucket: 'conformance', endpoint },
      Credential: { Type: 'keyPair', KeyPair: { ID: name, Secret: key } },
    }),
  )
  return { store, close: async () => store[Symbol.asyncDispose]() }
})
