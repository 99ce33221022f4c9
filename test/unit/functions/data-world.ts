import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { createRepositories } from '../../../src/functions/open-repositories.ts'
import { kinds } from '../../../src/kube/kinds.ts'
import type { Kube } from '../../../src/kube/kube.ts'
import type { PodRef } from '../../../src/kube/pods.ts'
import type { OpenedStore } from '../../../src/store/location.ts'
import { MemoryStore } from '../../../src/store/memory.ts'
import { withPrefix } from '../../../src/store/with-prefix.ts'
import { FakeApi } from '../../build/fake-api.ts'
import { aFunctionContext, type ContextParts, type RecordedContext } from '../../build/function-context.ts'
import { type LocalExec, localExec } from '../../build/local-exec.ts'

export const aProfile = {
  location: { type: 's3Compliant', bucket: 'b', endpoint: 'http://s3', prefix: 'p', region: '', caBundle: '', checksums: '' },
  credential: { type: 'keyPair' },
  skipSslVerify: false,
}

/** What the data functions touch: a bucket in memory, pods that are folders of this machine, a fake API server. */
export interface LocalDataWorld {
  readonly api: FakeApi
  readonly bucket: MemoryStore
  readonly exec: LocalExec
  /** A folder of its own; every "container" sees it. */
  readonly folder: string
  readonly context: (parts?: Partial<ContextParts>) => RecordedContext
}

/** A new one for each test. */
export function useLocalDataWorld(): () => LocalDataWorld {
  let world: LocalDataWorld
  beforeEach(() => {
    world = makeWorld(mkdtempSync(join(tmpdir(), 'holdfast-data-')))
  })
  afterEach(() => rmSync(world.folder, { recursive: true, force: true }))
  return () => world
}

function makeWorld(folder: string): LocalDataWorld {
  const api = new FakeApi()
  const bucket = new MemoryStore()
  const exec = localExec()
  const kube: Kube = { ...api.kube(), exec, pods: podsOf(api) }
  const openStore = (): OpenedStore => Object.assign(withPrefix(bucket, ''), { [Symbol.asyncDispose]: () => Promise.resolve() })
  const repositories = createRepositories({ kube, namespace: 'kanister', holder: 'me', openStore })
  const context = (parts: Partial<ContextParts> = {}): RecordedContext =>
    aFunctionContext({ kube, repositories, profile: aProfile, ...parts })
  return { api, bucket, exec, folder, context }
}

/** Every pod starts at once and goes at once. */
function podsOf(api: FakeApi): Kube['pods'] {
  const pods: Pick<Kube['pods'], 'waitStarted' | 'remove' | 'tailLog'> = {
    waitStarted: ({ namespace, name }: PodRef) => api.kube().resource(kinds.pods).get({ namespace, name }),
    remove: async ({ namespace, name }: PodRef) => api.remove(kinds.pods, namespace, name),
    tailLog: async () => '',
  }
  return pods as Kube['pods'] // The rest is not asked by functions that only run commands in their pods.
}

/** A claim in the fake cluster. */
export function aClaim(api: FakeApi, name: string, spec: object = {}): void {
  const metadata = { name, namespace: 'app' }
  api.put(kinds.persistentVolumeClaims, { metadata, spec: { accessModes: ['ReadWriteOnce'], ...spec } })
}
