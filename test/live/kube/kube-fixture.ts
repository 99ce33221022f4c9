import { afterAll, beforeAll } from 'vitest'
import { openKube } from '../../../src/kube/open.ts'
import type { Kube } from '../../../src/kube/kube.ts'
import type { Pod } from '../../../src/kube/kinds.ts'
import type { World } from '../../harness/world/world.ts'

/** A connection to the cluster of the world, closed at the end of the file. */
export function useKube(world: () => World): () => Kube {
  let kube: Kube | undefined
  beforeAll(async () => {
    kube = await openKube({ env: {}, kubeconfig: world().kubeconfig })
  })
  afterAll(async () => {
    await kube?.close()
  })
  return () => {
    if (!kube) throw new Error('the connection is there in hooks and tests only')
    return kube
  }
}

/** A pod that ends at once when it is deleted. */
export function aPod(namespace: string, name: string, image: string, command: readonly string[], spec: object = {}): Pod {
  return {
    metadata: { name, namespace },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'c', image, imagePullPolicy: 'IfNotPresent', command: [...command] }],
      ...spec,
    },
  }
}
