import { expect, test } from 'vitest'
import { openStoreWith } from '../../../src/main/own-identity.ts'
import { decodeProfile } from '../../../src/store/profile-json.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** A Profile whose Secret has no key: the process's own identity counts. */
const federated = decodeProfile({
  location: { type: 'azure', bucket: 'backups' },
  credential: {
    type: 'secret',
    secret: {
      metadata: { namespace: 'shop', name: 'azure' },
      type: 'secrets.kanister.io/azure',
      data: { azure_storage_account_id: base64('account'), azure_federated_identity: base64('true') },
    },
  },
})

test('a Profile of Azure without a key is opened by what the process is', async () => {
  const workload = { AZURE_FEDERATED_TOKEN_FILE: '/token', AZURE_CLIENT_ID: 'client', AZURE_TENANT_ID: 'tenant' }

  await using store = openStoreWith(workload)(federated)

  expect(store.description).toBe('azure://backups at https://account.blob.core.windows.net')
})

test('where it is nothing, the way out is said', () => {
  expect(() => openStoreWith({})(federated)).toThrow(/Azure's workload identity \(AZURE_FEDERATED_TOKEN_FILE/)
})
