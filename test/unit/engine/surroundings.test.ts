import { describe, expect, test } from 'vitest'
import { names } from '../../../src/api/names.ts'
import type { Run } from '../../../src/api/run.ts'
import { cleanManifest } from '../../../src/engine/clean-manifest.ts'
import { gatherSurroundings } from '../../../src/engine/surroundings.ts'
import { kubeError } from '../../../src/kube/errors.ts'
import { kinds } from '../../../src/kube/kinds.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'
import { FakeApi } from '../../build/fake-api.ts'

const signal = new AbortController().signal
const shop = { namespace: 'shop' }

function aRun(): Run {
  const object = {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'db', ...shop, uid: 'u', resourceVersion: '9' },
    spec: {
      serviceName: 'db-headless',
      template: {
        metadata: { labels: { app: 'db' } },
        spec: {
          serviceAccountName: 'db-account',
          containers: [{ name: 'pg', image: 'postgres:15', envFrom: [{ configMapRef: { name: 'settings' } }] }],
          volumes: [{ name: 'init', configMap: { name: 'init-scripts' } }],
        },
      },
    },
    status: { replicas: 1 },
  }
  const workload = { Name: 'db', PersistentVolumeClaims: { 'db-0': { 'data-db-0': '/data' } } }
  return {
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'Run',
    metadata: { name: 'run-u', namespace: 'kanister', uid: 'r', resourceVersion: '1' },
    spec: {
      actionSet: { name: 'backup', uid: 'u' },
      actions: [
        {
          action: { name: 'backup', blueprint: 'pg', object: { kind: 'StatefulSet', name: 'db', ...shop } },
          blueprintHash: 'other',
        },
      ],
    },
    status: {
      state: 'running',
      actions: {
        '0': {
          state: 'running',
          dispatch: 1,
          fence: { owner: 'w', instance: 'i', attempt: 1 },
          phases: [],
          inputs: { time: '', seed: '', object, workload },
        },
      },
    },
  }
}

function cluster(): FakeApi {
  const api = new FakeApi()
  const put = (def: Parameters<FakeApi['put']>[0], kind: string, name: string, rest: object = {}): void =>
    void api.put(def, { apiVersion: 'v1', kind, metadata: { name, ...shop }, ...rest } as never)
  put(kinds.configMaps, 'ConfigMap', 'settings')
  put(kinds.configMaps, 'ConfigMap', 'init-scripts')
  put(kinds.configMaps, 'ConfigMap', 'somebody-elses')
  put(kinds.serviceAccounts, 'ServiceAccount', 'db-account')
  put(kinds.persistentVolumeClaims, 'PersistentVolumeClaim', 'data-db-0', {
    spec: { volumeName: 'pv-1', storageClassName: 'fast' },
  })
  put(kinds.services, 'Service', 'db', { spec: { selector: { app: 'db' }, clusterIP: '10.0.0.1' } })
  put(kinds.services, 'Service', 'db-headless', { spec: { clusterIP: 'None' } })
  put(kinds.services, 'Service', 'web', { spec: { selector: { app: 'web' } } })
  api.put(ownKinds.blueprints, {
    kind: 'Blueprint',
    metadata: { name: 'pg', namespace: 'kanister' },
    actions: { backup: {}, restore: {} },
  } as never)
  return api
}

const namesOf = (manifests: readonly Record<string, unknown>[]): string[] =>
  manifests.map((manifest) => `${String(manifest['kind'])}/${(manifest['metadata'] as { name: string }).name}`)

describe('what is kept beside a backup', () => {
  test('is the object and what it needs, nothing of others', async () => {
    const { manifests, images, blueprint, omitted } = await gatherSurroundings(
      cluster().kube(),
      { run: aRun(), actionIndex: 0 },
      signal,
    )

    expect(namesOf(manifests)).toEqual([
      'ServiceAccount/db-account',
      'ConfigMap/init-scripts',
      'ConfigMap/settings',
      'PersistentVolumeClaim/data-db-0',
      'Service/db',
      'Service/db-headless',
      'StatefulSet/db',
    ])
    expect(images).toEqual(['postgres:15'])
    expect(blueprint).toMatchObject({ body: { actions: { restore: {} } }, changed: true })
    expect(omitted).toEqual([])
  })

  test('lacks what may not be read, and says so; nothing fails', async () => {
    const api = cluster()
    api.before = ({ resource, name }) => {
      if (resource === 'services') throw kubeError('KUBE_FORBIDDEN', 'services is forbidden')
      if (name === 'settings') throw kubeError('KUBE_NOT_FOUND', 'configmaps "settings" not found')
    }
    const { manifests, omitted } = await gatherSurroundings(api.kube(), { run: aRun(), actionIndex: 0 }, signal)

    expect(namesOf(manifests)).toContain('StatefulSet/db')
    expect(omitted).toEqual([
      expect.stringContaining('Services: services is forbidden'),
      expect.stringContaining('ConfigMap settings'),
    ])
  })

  test('is the Schedule too that asked for it, without its status and whatever it names', async () => {
    const api = cluster()
    const spec = { cron: '@daily', action: { blueprint: 'pg', secrets: { db: { name: 'db', namespace: 'shop' } } } }
    const status = { objectCount: 1 }
    api.put(ownKinds.schedules, {
      kind: 'Schedule',
      metadata: { name: 'nightly', namespace: 'kanister' },
      spec,
      status,
    } as never)
    const run = aRun()
    const scheduled = {
      ...run,
      spec: { ...run.spec, actionSet: { ...run.spec.actionSet, labels: { [names.schedule]: 'nightly' } } },
    }
    const gone = { ...run, spec: { ...run.spec, actionSet: { ...run.spec.actionSet, labels: { [names.schedule]: 'gone' } } } }

    const found = await gatherSurroundings(api.kube(), { run: scheduled, actionIndex: 0 }, signal)
    const lacking = await gatherSurroundings(api.kube(), { run: gone, actionIndex: 0 }, signal)

    expect(found.schedule).toEqual({
      apiVersion: 'holdfast.dev/v1alpha1',
      kind: 'Schedule',
      metadata: { name: 'nightly', namespace: 'kanister' },
      spec,
    })
    expect(lacking.schedule).toBeUndefined()
    expect(lacking.omitted).toEqual([expect.stringContaining('Schedule gone')])
  })

  test('is bounded, and says what was too much', async () => {
    const api = cluster()
    api.put(kinds.configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'settings', ...shop },
      data: { x: 'x'.repeat(600_000) },
    })
    const { manifests, omitted } = await gatherSurroundings(api.kube(), { run: aRun(), actionIndex: 0 }, signal)

    expect(JSON.stringify(manifests).length).toBeLessThan(512 * 1024)
    expect(omitted.join()).toContain('ConfigMap settings: the manifests together are larger')
  })
})

test('a manifest is free of what the old cluster assigned', () => {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: 'db',
      uid: 'u',
      resourceVersion: '1',
      creationTimestamp: 'then',
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', team: 'shop' },
      ownerReferences: [{}],
    },
    spec: { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], ports: [{ port: 80, nodePort: 30_000 }] },
    status: {},
  }
  expect(cleanManifest(service)).toEqual({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'db', annotations: { team: 'shop' } },
    spec: { ports: [{ port: 80 }] },
  })
  expect(cleanManifest({ ...service, spec: { clusterIP: 'None' } })).toMatchObject({ spec: { clusterIP: 'None' } })
  expect(
    cleanManifest({ kind: 'PersistentVolumeClaim', metadata: {}, spec: { volumeName: 'pv', storageClassName: 'fast' } }),
  ).toEqual({
    kind: 'PersistentVolumeClaim',
    metadata: {},
    spec: { storageClassName: 'fast' },
  })
})
