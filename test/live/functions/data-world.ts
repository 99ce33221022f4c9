import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { beforeAll } from 'vitest'
import { createRepositories } from '../../../src/functions/open-repositories.ts'
import type { Repositories } from '../../../src/functions/repositories.ts'
import type { Kube } from '../../../src/kube/kube.ts'
import { openKube } from '../../../src/kube/open.ts'
import { openStore } from '../../../src/store/location.ts'
import type { ResolvedProfile } from '../../../src/store/profile-json.ts'
import { aFunctionContext, type ContextParts, type RecordedContext } from '../../build/function-context.ts'
import { useBucket, useNamespace, useWorld } from '../../harness/world/fixtures.ts'
import type { World } from '../../harness/world/world.ts'

/** Everything that the data functions want, on real servers. */
export interface DataWorld {
  readonly world: () => World
  readonly namespace: string
  readonly bucket: string
  readonly kube: () => Kube
  readonly profile: () => ResolvedProfile
  readonly repositories: () => Repositories
  readonly images: () => { readonly gnu: string; readonly busybox: string }
  readonly context: (parts?: Partial<ContextParts>) => RecordedContext
}

export function useDataWorld(): DataWorld {
  const world = useWorld()
  const namespace = useNamespace(world)
  const bucket = useBucket(world)
  let kube: Kube | undefined
  let repositories: Repositories | undefined
  let images = { gnu: '', busybox: '' }
  const there = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('the world is there in hooks and tests only')
    return value
  }
  beforeAll(async () => {
    kube = await openKube({ env: {}, kubeconfig: world().kubeconfig })
    repositories = createRepositories({ kube, namespace, holder: randomUUID(), openStore })
    const context = fileURLToPath(new URL('./busybox', import.meta.url))
    images = {
      gnu: await world().image('debian'),
      busybox: await world().image({ name: 'holdfast.dev/test-busybox:1', context }),
    }
  }, 10 * 60_000)
  const profile = (): ResolvedProfile => {
    const { endpoint, region, accessKey, secretKey } = world().s3
    return {
      location: { type: 's3Compliant', bucket, endpoint, prefix: 'below', region, caBundle: '', checksums: '' },
      credential: { type: 'keyPair', keyPair: { id: accessKey, secret: secretKey } },
      skipSslVerify: false,
    }
  }
  return {
    world,
    namespace,
    bucket,
    kube: () => there(kube),
    profile,
    repositories: () => there(repositories),
    images: () => images,
    context: (parts = {}) =>
      aFunctionContext({
        kube: there(kube),
        repositories: there(repositories),
        profile: profile(),
        ...parts,
        run: { actionSetUid: randomUUID(), ...parts.run },
        engine: { namespace, serviceAccount: 'default' },
      }),
  }
}
