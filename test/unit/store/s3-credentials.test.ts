import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { openCredentials } from '../../../src/store/s3/credentials.ts'

test('a token server that takes connections and never answers is given up', async () => {
  const silent = createServer()
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  try {
    const role = {
      role: 'arn:aws:iam::123456789012:role/backup',
      keys: { accessKeyId: 'id', secretAccessKey: 'secret' },
      stsEndpoint: `http://127.0.0.1:${port}`,
    }
    const provider = await openCredentials(role, 'us-east-1', { connectMs: 1_000, idleMs: 200 })

    await expect((provider as () => Promise<unknown>)()).rejects.toThrow()
  } finally {
    silent.close()
  }
})
