import { beforeEach, describe, expect, test } from 'vitest'
import { createRepositories } from '../../../src/functions/open-repositories.ts'
import { findRecoveryKey } from '../../../src/functions/recovery-key.ts'
import { kinds, type Secret } from '../../../src/kube/kinds.ts'
import type { Kube } from '../../../src/kube/kube.ts'
import type { Live } from '../../../src/kube/objects.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'
import { recoveryKeys } from '../../../src/main/recovery-keys.ts'
import { createRecoveryKey } from '../../../src/repository/keys/recovery-key.ts'
import { initRepository } from '../../../src/repository/init-repository.ts'
import { openRepository } from '../../../src/repository/open-repository.ts'
import type { OpenedStore } from '../../../src/store/location.ts'
import { MemoryStore } from '../../../src/store/memory.ts'
import { storeError } from '../../../src/store/errors.ts'
import { withPrefix } from '../../../src/store/with-prefix.ts'
import { FakeApi } from '../../build/fake-api.ts'
import { withFaults } from '../../build/with-faults.ts'

const { signal } = new AbortController()
const profile = {
  location: { type: 's3Compliant', bucket: 'b', endpoint: 'http://s3', prefix: 'p', region: '', caBundle: '', checksums: '' },
  credential: { type: 'keyPair', keyPair: { id: 'i', secret: 's' } },
  skipSslVerify: false,
}
let api: FakeApi
let bucket: MemoryStore
let fails = false

const opened = (): OpenedStore => {
  const store = fails ? withFaults(bucket, () => ({ fail: storeError('STORE_DENIED', 'access denied') })) : bucket
  return Object.assign(withPrefix(store, ''), { [Symbol.asyncDispose]: () => Promise.resolve() })
}

/** Secrets as the server keeps them, and its update. */
function kube(): Kube {
  const real = api.kube()
  const resource = ((def: typeof kinds.secrets) => {
    const objects = real.resource(def)
    const encoded = ({ stringData = {}, ...rest }: Secret): Secret => ({
      ...rest,
      data: { ...rest.data, ...Object.fromEntries(Object.entries(stringData).map(([name, text]) => [name, btoa(text)])) },
    })
    return {
      ...objects,
      create: (object: Secret, options: object) => objects.create(def === kinds.secrets ? encoded(object) : object, options),
      update: async (place: { namespace: string; name: string }, alter: (secret: Live<Secret>) => Secret) =>
        api.put(def, alter(await objects.get(place, { signal })) as never),
    }
  }) as unknown as Kube['resource']
  return { ...real, resource }
}

function rotate(force = false) {
  const place = { kube: kube(), namespace: 'engine', signal, openStore: opened }
  const nothing = {
    finish: () => undefined,
    readText: async () => '',
    output: { out: () => undefined, err: () => undefined, live: false },
  }
  return recoveryKeys(place, nothing).rotate({ force })
}

async function keyNow(): Promise<string> {
  return (await findRecoveryKey({ kube: api.kube(), namespace: 'engine', signal }))?.key ?? ''
}

beforeEach(async () => {
  api = new FakeApi()
  bucket = new MemoryStore()
  fails = false
  const metadata = { name: 'p', namespace: 'engine' }
  const keyPair = { idField: 'i', secretField: 's', secret: { name: 'k', namespace: 'engine' } }
  api.put(kinds.secrets, { metadata: { name: 'k', namespace: 'engine' }, data: { i: 'aQ==', s: 'cw==' } } as never)
  for (const name of ['p', 'same-bucket'])
    api.put(ownKinds.profiles, {
      metadata: { ...metadata, name },
      location: { type: 's3Compliant', bucket: 'b', endpoint: 'http://s3/' },
      credential: { type: 'keyPair', keyPair },
    } as never)
  const repositories = createRepositories({ kube: kube(), namespace: 'engine', holder: 'me', openStore: opened })
  await repositories.openForNamespace({ profile, namespace: 'with-secret', create: true, signal })
  await repositories.openByPrefix({ profile, backupArtifactPrefix: 'x/given', encryptionKey: 'mine', create: true, signal })
  await initRepository(withPrefix(bucket, 'foreign'), { keys: [{ recoveryKey: createRecoveryKey() }] })
  await initRepository(withPrefix(bucket, 'kanister'), { keys: [{ encryptionKey: 'theirs' }] })
})

describe('a rotation of the recovery key', () => {
  test('reaches repositories without a Secret too, by the buckets of Profiles, and leaves those of others alone', async () => {
    const before = await keyNow()

    const { finished, repositories } = await rotate()

    expect(finished).toBe(true)
    expect(repositories).toEqual([
      { repository: 'b/p/holdfast/with-secret', added: true, removed: true },
      { repository: 'b/x/given', added: true, removed: true },
    ])
    const now = await keyNow()
    expect(now).not.toBe(before)
    for (const place of ['p/holdfast/with-secret', 'x/given']) {
      await openRepository(withPrefix(bucket, place), { recoveryKey: now })
      await expect(openRepository(withPrefix(bucket, place), { recoveryKey: before })).rejects.toThrow('none of the keys')
    }
    await openRepository(withPrefix(bucket, 'x/given'), { passwords: ['mine'] })
    await openRepository(withPrefix(bucket, 'kanister'), { passwords: ['theirs'] })
  })

  test('is not finished where a bucket cannot be looked through, and says so; later it goes on with the same key', async () => {
    const before = await keyNow()
    fails = true

    const broken = await rotate()

    expect(broken.finished).toBe(false)
    expect(broken.repositories).toContainEqual({
      repository: 'bucket b',
      added: false,
      removed: false,
      problem: expect.stringContaining('cannot be looked through for repositories'),
    })
    expect(await keyNow()).toBe(before)

    fails = false
    const { fingerprint, finished } = await rotate()
    expect(finished).toBe(true)
    expect(fingerprint).toBe(broken.fingerprint)
  })
})
