import { beforeEach, describe, expect, test } from 'vitest'
import { createRepositories } from '../../../src/functions/open-repositories.ts'
import type { Repositories } from '../../../src/functions/repositories.ts'
import { kubeError } from '../../../src/kube/errors.ts'
import type { Secret } from '../../../src/kube/kinds.ts'
import type { Kube } from '../../../src/kube/kube.ts'
import { initRepository } from '../../../src/repository/init-repository.ts'
import { kanisterDefaultPassword } from '../../../src/repository/keys/recovery-key.ts'
import type { OpenedStore } from '../../../src/store/location.ts'
import { MemoryStore } from '../../../src/store/memory.ts'
import { withPrefix } from '../../../src/store/with-prefix.ts'

const profile = {
  location: { type: 's3Compliant', bucket: 'b', endpoint: 'http://s3', prefix: 'p', region: '', caBundle: '', checksums: '' },
  credential: { type: 'keyPair' },
  skipSslVerify: false,
}
const { signal } = new AbortController()
let secrets: Map<string, Secret>
let bucket: MemoryStore
let repositories: Repositories
let leases: string[]

beforeEach(() => {
  secrets = new Map()
  bucket = new MemoryStore()
  leases = []
  const openStore = (): OpenedStore => Object.assign(withPrefix(bucket, ''), { [Symbol.asyncDispose]: () => Promise.resolve() })
  repositories = createRepositories({ kube: fakeKube(), namespace: 'engine', holder: 'me', openStore })
})

/** Secrets and Leases only; a create of what is there fails as the server's does. */
function fakeKube(): Pick<Kube, 'resource' | 'leases'> {
  const api = {
    find: ({ name }: { name: string }) => Promise.resolve(secrets.get(name)),
    create: (secret: Secret) => {
      const name = secret.metadata?.name ?? ''
      if (secrets.has(name)) return Promise.reject(kubeError('KUBE_ALREADY_EXISTS', name))
      const data = Object.fromEntries(Object.entries(secret.stringData ?? {}).map(([key, text]) => [key, btoa(text)]))
      secrets.set(name, { ...secret, data })
      return Promise.resolve(secret)
    },
  }
  const acquire = ({ name }: { name: string }): Promise<object> => {
    leases.push(name)
    return Promise.resolve({ signal, fence: 1, release: () => Promise.resolve() })
  }
  return { resource: () => api, leases: { acquire } } as unknown as Pick<Kube, 'resource' | 'leases'>
}

const names = (): string[] => [...secrets.keys()].map((name) => name.replace(/[0-9a-f]{20}$/, '*')).sort()

describe('opening repositories', () => {
  test('streams go below the prefix of the Profile, data below the bucket', async () => {
    await repositories.openForNamespace({ profile, namespace: 'app', create: true, signal })
    await repositories.openByPrefix({ profile, backupArtifactPrefix: 'x/y', create: true, signal })

    expect(await bucket.head('p/holdfast/app/config')).toBeDefined()
    expect(await bucket.head('x/y/config')).toBeDefined()
  })

  test('a new one gets two keys, both kept before it is made, under a Lease', async () => {
    const made = await repositories.openForNamespace({ profile, namespace: 'app', create: true, signal })
    const again = await repositories.openForNamespace({ profile, namespace: 'app', create: true, signal })

    expect(again.id).toBe(made.id)
    expect(names()).toEqual(['holdfast-recovery-key', 'holdfast-repo-*'])
    expect(leases).toHaveLength(1)
    expect(leases[0]).toMatch(/^holdfast-repo-/)
  })

  test('the same place by another prefix spelling is the same repository with the same Secret', async () => {
    const one = await repositories.openByPrefix({ profile, backupArtifactPrefix: 'b/x', create: true, signal })
    const two = await repositories.openByPrefix({ profile, backupArtifactPrefix: 'x', create: true, signal })

    expect(two.id).toBe(one.id)
    expect(names()).toEqual(['holdfast-recovery-key', 'holdfast-repo-*'])
  })

  test('a lost working password is no loss: the recovery key opens', async () => {
    const made = await repositories.openForNamespace({ profile, namespace: 'app', create: true, signal })
    for (const name of secrets.keys()) if (name.startsWith('holdfast-repo-')) secrets.delete(name)

    const again = await repositories.openForNamespace({ profile, namespace: 'app', create: true, signal })

    expect(again.id).toBe(made.id)
    expect(names()).toEqual(['holdfast-recovery-key'])
  })

  test("Kanister's public key opens what exists and makes nothing", async () => {
    await initRepository(withPrefix(bucket, 'old'), { keys: [{ encryptionKey: kanisterDefaultPassword }] })

    const old = await repositories.openByPrefix({ profile, backupArtifactPrefix: 'old', create: false, signal })
    const made = await repositories.openByPrefix({ profile, backupArtifactPrefix: 'new', create: true, signal })

    expect(old.openedBy.publicKey).toBe(true)
    expect(made.openedBy.publicKey).toBe(false)
  })

  test('a key that is given is the only one that counts', async () => {
    const given = { profile, backupArtifactPrefix: 'own', encryptionKey: 'mine', signal }
    await repositories.openByPrefix({ ...given, create: true })

    await expect(repositories.openByPrefix({ ...given, encryptionKey: 'other', create: true })).rejects.toMatchObject({
      code: 'FUNCTION_NO_KEY',
    })
    await expect(repositories.openByPrefix({ ...given, encryptionKey: '', create: true })).rejects.toThrow(
      'encryptionKey is empty',
    )
    await expect(repositories.openByPrefix({ ...given, create: false })).resolves.toBeDefined()
    expect(names()).toEqual(['holdfast-recovery-key'])
  })

  test('another installation at the same place is told so', async () => {
    await repositories.openForNamespace({ profile, namespace: 'app', create: true, signal })
    secrets.clear()

    const other = repositories.openForNamespace({ profile, namespace: 'app', create: true, signal })

    await expect(other).rejects.toThrow(/another installation[^]*prefix of its own[^]*recovery key/)
  })

  test('where there is none, reading says so and makes nothing', async () => {
    const missing = repositories.openForNamespace({ profile, namespace: 'none', create: false, signal })

    await expect(missing).rejects.toMatchObject({ code: 'FUNCTION_NO_REPOSITORY' })
    expect(leases).toEqual([])
  })
})
