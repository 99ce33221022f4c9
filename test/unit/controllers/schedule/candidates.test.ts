import { expect, test } from 'vitest'
import { Candidates } from '../../../../src/controllers/schedule/candidates.ts'
import type { Informer, InformerOptions } from '../../../../src/kube/informer.ts'
import type { Kube } from '../../../../src/kube/kube.ts'
import type { KubeObject, ResourceDef } from '../../../../src/kube/objects.ts'
import { FakeApi } from '../../../build/fake-api.ts'
import { kinds } from '../../../../src/kube/kinds.ts'

test('Schedules of other kinds are not held up by one whose objects cannot be listed', async () => {
  const api = new FakeApi()
  api.put(kinds.deployments, { metadata: { name: 'web', namespace: 'shop' } } as never)
  const informer = (def: ResourceDef<KubeObject>, options: InformerOptions<KubeObject>): Informer<KubeObject> => {
    const made = api.kube().informer(def, options)
    // The engine may not list these.
    return def.resource === 'statefulsets'
      ? Object.defineProperties(made, {
          synced: { value: new Promise(() => undefined) },
          hasSynced: { get: () => false, set: () => undefined },
        })
      : made
  }
  const candidates = new Candidates({
    kube: { informer } as unknown as Kube,
    signal: new AbortController().signal,
    onChange: () => undefined,
    onError: () => undefined,
    firstListMs: 20,
  })

  await expect(candidates.of(new Set(['StatefulSet', 'Deployment']))).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
  expect(await candidates.of(new Set(['Deployment']))).toMatchObject([{ kind: 'Deployment', name: 'web' }])
})
