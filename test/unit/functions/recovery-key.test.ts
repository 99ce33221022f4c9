import { beforeEach, describe, expect, test } from 'vitest'
import { createRepositories } from '../../../src/functions/open-repositories.ts'
import {
  findRecoveryKey,
  finishRotation,
  importRecoveryKey,
  markExported,
  nextRecoveryKey,
} from '../../../src/functions/recovery-key.ts'
import type { Repositories } from '../../../src/functions/repositories.ts'
import { kubeError } from '../../../src/kube/errors.ts'
import type { Secret } from '../../../src/kube/kinds.ts'
import type { Kube } from '../../../src/kube/kube.ts'
import { createRecoveryKey, recoveryKeyFingerprint } from '../../../src/repository/keys/recovery-key.ts'
import type { OpenedStore } from '../../../src/store/location.ts'
import { MemoryStore } from '../../../src/store/memory.ts'
import { withPrefix } from '../../../src/store/with-prefix.ts'

const { signal } = new AbortController()
const profile = {
  location: { type: 's3Compliant', bucket: 'b', endpoint: 'http://s3', prefix: 'p', region: '', caBundle: '', checksums: '' },
  credential: { type: 'keyPair' },
  skipSslVerify: false,
}
let secrets: Map<string, Secret>
let kube: Pick<Kube, 'resource' | 'leases'>
let place: { readonly kube: typeof kube; readonly namespace: string; readonly signal: AbortSignal }
let repositories: Repositories
let exported: boolean[]

beforeEach(() => {
  secrets = new Map()
  exported = []
  kube = fakeKube()
  place = { kube, namespace: 'engine', signal }
  const bucket = new MemoryStore()
  const openStore = (): OpenedStore => Object.assign(withPrefix(bucket, ''), { [Symbol.asyncDispose]: () => Promise.resolve() })
  repositories = createRepositories({
    kube,
    namespace: 'engine',
    holder: 'me',
    openStore,
    onRecoveryKey: (state) => exported.push(state.exported),
  })
})

function fakeKube(): typeof kube {
  const keep = ({ stringData, ...secret }: Secret): Promise<Secret> => {
    const encoded = Object.entries(stringData ?? {}).map(([key, text]) => [key, btoa(text)])
    const data = { ...secret.data, ...(Object.fromEntries(encoded) as Record<string, string>) }
    secrets.set(secret.metadata?.name ?? '', { ...secret, data })
    return Promise.resolve(secret)
  }
  const api = {
    find: ({ name }: { name: string }) => Promise.resolve(secrets.get(name)),
    create: (secret: Secret) =>
      secrets.has(secret.metadata?.name ?? '') ? Promise.reject(kubeError('KUBE_ALREADY_EXISTS', 'there')) : keep(secret),
    update: ({ name }: { name: string }, alter: (secret: Secret) => Secret) => keep(alter(secrets.get(name) as Secret)),
  }
  const acquire = (): Promise<object> => Promise.resolve({ signal, fence: 1, release: () => Promise.resolve() })
  return { resource: () => api, leases: { acquire } } as unknown as typeof kube
}

async function backup(): Promise<string[]> {
  const warnings: string[] = []
  await repositories.openForNamespace({
    profile,
    namespace: 'app',
    create: true,
    onWarning: (warning) => warnings.push(warning),
    signal,
  })
  return warnings
}

describe('the recovery key', () => {
  test('is warned of with every backup until it was exported, and again after a new one', async () => {
    const first = await backup()
    const state = await findRecoveryKey(place)
    await markExported(place, state?.fingerprint ?? '', '2026-01-01T00:00:00Z')
    const second = await backup()
    await nextRecoveryKey(place)
    await finishRotation(place)
    const third = await backup()

    expect(first).toEqual([expect.stringContaining(`the recovery key ${state?.fingerprint} was never exported`)])
    expect(first.join()).not.toContain(state?.key)
    expect(second).toEqual([])
    expect(third).toHaveLength(1)
    expect(exported).toEqual([false, true, false])
  })

  test('a rotation that broke off goes on with the same new key, and keeps the old one', async () => {
    await backup()
    const before = await findRecoveryKey(place)

    const { next } = await nextRecoveryKey(place)
    const again = await nextRecoveryKey(place)
    await finishRotation(place)
    await finishRotation(place)

    expect(again.next).toBe(next)
    expect(await findRecoveryKey(place)).toMatchObject({ key: next, next: undefined, previous: [before?.key], exported: false })
  })

  test('one that was exported elsewhere is put into a new cluster, and does not push another one away unasked', async () => {
    const [key, other] = [createRecoveryKey(), createRecoveryKey()]

    await importRecoveryKey(place, key, { replace: false })
    await expect(importRecoveryKey(place, other, { replace: false })).rejects.toThrow(recoveryKeyFingerprint(other))
    await importRecoveryKey(place, other, { replace: true })

    expect(await findRecoveryKey(place)).toMatchObject({ key: other, previous: [key] })
  })
})
