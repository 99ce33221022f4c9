import { beforeAll, describe, expect, test } from 'vitest'
import type { BackupRecord } from '../../../src/catalog/record.ts'
import { planJson } from '../../../src/cli/commands/backup/restore-one.ts'
import { kubeError } from '../../../src/kube/errors.ts'
import type { Kube } from '../../../src/kube/kube.ts'
import type { Unstructured } from '../../../src/kube/objects.ts'
import type { WriteOptions } from '../../../src/kube/resource-api.ts'
import { kinds } from '../../../src/kube/kinds.ts'
import { getBackup } from '../../../src/recovery/find-backup.ts'
import { type RestoreRequest, blockersOf, planRestore } from '../../../src/recovery/restore-plan.ts'
import { createRecoveryKey } from '../../../src/repository/keys/recovery-key.ts'
import { initRepository } from '../../../src/repository/init-repository.ts'
import { withPrefix } from '../../../src/store/with-prefix.ts'
import { FakeApi } from '../../build/fake-api.ts'
import { aBucket, aRecord, putRecord } from './a-bucket.ts'

const { signal } = new AbortController()
type Bucket = Awaited<ReturnType<typeof aBucket>>
type Pod = Record<string, unknown>

/** A cluster that has all that the application needs, and what a test takes from it. */
class Case {
  readonly api = new FakeApi()
  readonly denied = new Set<string>()
  readonly unknownKinds = new Set<string>()
  refused: string | undefined
  readonly pod: Pod = { containers: [{ image: 'postgres:15' }] }
  storageClass: string | undefined = 'fast'
  record: Partial<BackupRecord> = {}
  request: Partial<RestoreRequest> = {}
  readonly bucket: Bucket

  constructor(bucket: Bucket) {
    this.bucket = bucket
    this.put('Namespace', 'shop', {}, '')
    this.put(
      'StorageClass',
      'fast',
      { metadata: { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } } },
      '',
    )
  }

  put(kind: string, name: string, more: Record<string, unknown> = {}, namespace = 'shop'): void {
    const { group, version, resource } = nameOf(kind)
    const metadata = { ...(more['metadata'] as object | undefined), name, ...(namespace === '' ? {} : { namespace }) }
    this.api.put({ group, version, resource } as never, { kind, ...more, metadata } as never)
  }

  kube(): Kube {
    const real = this.api.kube()
    const wrapped: Partial<Kube> = {
      resource: ((def: never) => {
        const objects = real.resource<Unstructured>(def)
        const create: typeof objects.create = (object, options) =>
          this.#create(object, options, () => objects.create(object, options))
        return new Proxy(objects, { get: (target, field) => (field === 'create' ? create : Reflect.get(target, field)) })
      }) as never,
      discover: async (_apiVersion, kind) => {
        if (this.unknownKinds.has(kind)) throw kubeError('KUBE_NOT_FOUND', `no kind ${kind}`)
        return { ...nameOf(kind), kind, namespaced: kind !== 'Namespace' }
      },
      client: {
        namespace: 'engine',
        request: async ({
          body,
        }: {
          readonly body: {
            readonly spec: { readonly resourceAttributes: { readonly verb: string; readonly resource: string } }
          }
        }) => {
          const { verb, resource } = body.spec.resourceAttributes
          return { status: { allowed: !this.denied.has(`${verb} ${resource}`) } }
        },
      } as never,
    }
    return { ...real, ...wrapped }
  }

  async #create<T>(object: Unstructured, options: WriteOptions | undefined, create: () => Promise<T>): Promise<T> {
    if (!options?.dryRun) return create()
    if (object.kind === this.refused) throw kubeError('KUBE_INVALID', 'a webhook says no')
    // What a plan does with the answer is nothing.
    return object as T
  }

  async plan() {
    const metadata = { name: 'db', namespace: 'shop' }
    const claim = {
      metadata: { name: 'data' },
      spec: {
        ...(this.storageClass === undefined ? {} : { storageClassName: this.storageClass }),
        resources: { requests: { storage: '1Gi' } },
      },
    }
    const manifests = [
      {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata,
        spec: { replicas: 2, volumeClaimTemplates: [claim], template: { spec: this.pod } },
      },
      { apiVersion: 'v1', kind: 'PersistentVolumeClaim', ...claim, metadata: { name: 'data-db-0', namespace: 'shop' } },
      { apiVersion: 'v1', kind: 'Service', metadata, spec: {} },
    ]
    await putRecord(
      this.bucket.location,
      aRecord(9, {
        ...this.bucket.records[0],
        ...aRecord(9),
        artifacts: this.bucket.records[0]?.artifacts ?? {},
        phases: this.bucket.records[0]?.phases ?? [],
        manifests,
        ...this.record,
      }),
    )
    const backup = await getBackup(this.bucket.place, 'backup-9')
    const request: RestoreRequest = {
      storageClasses: {},
      intoExisting: false,
      overwrite: 'never',
      action: 'restore',
      options: {},
      accept: [],
      engineVersion: '0.1.0',
      ...this.request,
    }
    const cluster = { kube: this.kube(), namespace: 'engine', profile: { name: 'here', namespace: 'engine' }, signal }
    return planRestore(this.bucket.place, cluster, backup, request)
  }
}

const groups: Readonly<Record<string, string>> = {
  StatefulSet: 'apps',
  StorageClass: 'storage.k8s.io',
  PriorityClass: 'scheduling.k8s.io',
  RuntimeClass: 'node.k8s.io',
}

function nameOf(kind: string) {
  const plural = kind.endsWith('s') ? `${kind.toLowerCase()}es` : `${kind.toLowerCase()}s`
  return { group: groups[kind] ?? '', version: 'v1', resource: plural }
}

const container = (more: object): Pod => ({ containers: [{ image: 'postgres:15', ...more }] })
const quota =
  (hard: Record<string, string>, used: Record<string, string> = {}) =>
  (one: Case) =>
    one.put('ResourceQuota', 'limits', { status: { hard, used } })
const body = (actions: object) => ({
  blueprint: { name: 'postgresql', sha256: 'ab', body: { kind: 'Blueprint', metadata: { name: 'postgresql' }, actions } },
})

let shared: Bucket
beforeAll(async () => {
  shared = await aBucket()
})

test('a plan for a cluster that has everything has no blocker, and says what comes in which order', async () => {
  const plan = await new Case(shared).plan()

  expect(blockersOf(plan, [])).toEqual([])
  expect(plan.objects.map(({ what, manifest }) => `${what} ${manifest.kind}`)).toEqual([
    'create PersistentVolumeClaim',
    'create Service',
    'create StatefulSet',
  ])
  expect(plan.spec).toMatchObject({
    name: 'restore',
    blueprint: 'postgresql',
    artifacts: { dump: {} },
    profile: { name: 'here' },
    options: { user: 'me' },
  })
  expect(plan.expectedSeconds).toBe(10 + 20 + 2 * 5)
})

describe('Secrets of the record', () => {
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'password', namespace: 'shop' },
    data: { p: 'c2VjcmV0LXZhbHVl' },
  }
  const needing = container({ env: [{ name: 'P', valueFrom: { secretKeyRef: { name: 'password', key: 'p' } } }] })

  test('are made before what needs them, where there are none; a plan shows their names alone', async () => {
    const one = new Case(shared)
    Object.assign(one.pod, needing)
    one.record = { secrets: [secret] }
    one.request = { toNamespace: 'test', name: 'copy' }
    const plan = await one.plan()

    expect(plan.objects.map(({ what, manifest }) => `${what} ${manifest.kind} ${manifest.metadata.namespace ?? ''}`)).toEqual([
      'create Namespace ',
      'create Secret test',
      'create PersistentVolumeClaim test',
      'create Service test',
      'create StatefulSet test',
    ])
    expect(blockersOf(plan, [])).toEqual([])
    expect(JSON.stringify(planJson(plan))).toContain('"password"')
    expect(JSON.stringify(planJson(plan))).not.toContain(secret.data.p)
  })

  test.each(['never', 'replace'] as const)('never take the place of those that are there (overwrite %s)', async (overwrite) => {
    const one = new Case(shared)
    one.record = { secrets: [secret] }
    one.request = { overwrite }
    one.put('Secret', 'password', { data: { p: 'bmV3' } })

    expect((await one.plan()).objects.map(({ what, manifest }) => `${what} ${manifest.kind}`)).toContain('keep Secret')
  })

  test('that you may not create stop it', async () => {
    const one = new Case(shared)
    one.record = { secrets: [secret] }
    one.denied.add('create secrets')

    expect(blockersOf(await one.plan(), []).map(({ code }) => code)).toEqual(['missing-right'])
  })
})

test('a plan for another namespace makes it, and moves everything there', async () => {
  const one = new Case(shared)
  one.request = { toNamespace: 'test', name: 'copy' }

  const plan = await one.plan()

  expect(plan.target).toMatchObject({ namespace: 'test', name: 'copy' })
  expect(
    plan.objects.map(({ manifest }) => `${manifest.kind} ${manifest.metadata.namespace ?? ''}/${manifest.metadata.name}`),
  ).toEqual(['Namespace /test', 'PersistentVolumeClaim test/data-copy-0', 'Service test/db', 'StatefulSet test/copy'])
})

describe('a plan names what would make the restore fail', () => {
  test.each<[string, string, (one: Case) => unknown]>([
    ['the workload is there', 'target-exists', (one) => one.put('StatefulSet', 'db')],
    ['a volume is there', 'volume-exists', (one) => one.put('PersistentVolumeClaim', 'data-db-0')],
    [
      'the namespace is going',
      'namespace-terminating',
      (one) => one.put('Namespace', 'shop', { metadata: { deletionTimestamp: 'now' } }, ''),
    ],
    ['no right to create the workload', 'missing-right', (one) => one.denied.add('create statefulsets')],
    ['no right to create volumes', 'missing-right', (one) => one.denied.add('create persistentvolumeclaims')],
    [
      'no right to create the namespace',
      'missing-right',
      (one) => [(one.request = { toNamespace: 'new' }), one.denied.add('create namespaces')],
    ],
    ['no right to create ActionSets', 'missing-right', (one) => one.denied.add('create actionsets')],
    ['no right to create Blueprints', 'missing-right', (one) => one.denied.add('create blueprints')],
    [
      'no right to replace what is there',
      'missing-right',
      (one) => [(one.request = { overwrite: 'replace' }), one.put('Service', 'db'), one.denied.add('patch services')],
    ],
    ['a kind that the cluster lacks', 'kind-unknown', (one) => one.unknownKinds.add('StatefulSet')],
    ['a webhook that refuses', 'refused', (one) => (one.refused = 'StatefulSet')],
    ['a storage class that is not there', 'storage-class', (one) => (one.storageClass = 'gone')],
    ['a storage class that was mapped to none', 'storage-class', (one) => (one.request = { storageClasses: { fast: 'gone' } })],
    [
      'no default storage class',
      'no-default-storage',
      (one) => [(one.storageClass = undefined), one.put('StorageClass', 'fast', {}, '')],
    ],
    [
      'a Secret of a variable',
      'secret-missing',
      (one) => Object.assign(one.pod, container({ env: [{ valueFrom: { secretKeyRef: { name: 'pw' } } }] })),
    ],
    [
      'a Secret of all variables',
      'secret-missing',
      (one) => Object.assign(one.pod, container({ envFrom: [{ secretRef: { name: 'pw' } }] })),
    ],
    ['a Secret of a volume', 'secret-missing', (one) => (one.pod['volumes'] = [{ secret: { secretName: 'tls' } }])],
    ['a Secret for images', 'secret-missing', (one) => (one.pod['imagePullSecrets'] = [{ name: 'registry' }])],
    [
      'a ConfigMap of a variable',
      'config-map-missing',
      (one) => Object.assign(one.pod, container({ env: [{ valueFrom: { configMapKeyRef: { name: 'env' } } }] })),
    ],
    ['a ConfigMap of a volume', 'config-map-missing', (one) => (one.pod['volumes'] = [{ configMap: { name: 'conf' } }])],
    ['a priority class', 'priority-class', (one) => (one.pod['priorityClassName'] = 'high')],
    ['a runtime class', 'runtime-class', (one) => (one.pod['runtimeClassName'] = 'kata')],
    ['no node with the labels', 'no-node', (one) => (one.pod['nodeSelector'] = { disk: 'ssd' })],
    ['a quota of pods', 'quota', quota({ pods: '3' }, { pods: '2' })],
    ['a quota of claims', 'quota', quota({ persistentvolumeclaims: '1' })],
    ['a quota of storage', 'quota', quota({ 'requests.storage': '2Gi' }, { 'requests.storage': '1Gi' })],
    [
      'a quota of cpu',
      'quota',
      (one) => [
        quota({ 'requests.cpu': '1' })(one),
        Object.assign(one.pod, container({ resources: { requests: { cpu: '600m' } } })),
      ],
    ],
    [
      'a quota of memory',
      'quota',
      (one) => [
        quota({ 'limits.memory': '1Gi' })(one),
        Object.assign(one.pod, container({ resources: { limits: { memory: '600Mi' } } })),
      ],
    ],
    ['a record without manifests', 'no-manifest', (one) => (one.record = { manifests: [] })],
    ['no Blueprint in the record, nor here', 'no-blueprint', (one) => (one.record = { blueprint: { name: 'gone' } })],
    ['a Blueprint without the action', 'no-action', (one) => (one.record = body({ backup: {}, bringBack: {} }))],
    [
      'an artifact that the action wants',
      'artifact-missing',
      (one) => (one.record = body({ restore: { inputArtifactNames: ['wal'], phases: [] } })),
    ],
    [
      'a snapshot that is gone',
      'data-missing',
      (one) => one.bucket.root.delete(`team/holdfast/shop/snapshots/${one.bucket.snapshot}`),
    ],
    ['a repository that is gone', 'data-missing', (one) => one.bucket.root.delete('team/holdfast/shop/config')],
    [
      'a repository that no key opens',
      'locked-repository',
      async (one) => {
        const store = withPrefix(one.bucket.root, 'team/holdfast/shop')
        for await (const { key } of store.list('')) await store.delete(key)
        await initRepository(store, { keys: [{ recoveryKey: createRecoveryKey() }] })
      },
    ],
  ])('%s (%s)', async (_what, code, seed) => {
    // Making one takes a second; what does not harm it shares it.
    const one = new Case(/^(data|locked)-/.test(code) ? await aBucket() : shared)
    await seed(one)

    const blockers = blockersOf(await one.plan(), [])

    expect(blockers.map((blocker) => blocker.code)).toContain(code)
    expect(blockersOf({ findings: blockers }, [code]).map((blocker) => blocker.code)).not.toContain(code)
  })

  test('and restores into what is there when that is said', async () => {
    const one = new Case(shared)
    one.put('StatefulSet', 'db')
    one.put('PersistentVolumeClaim', 'data-db-0')
    one.request = { intoExisting: true, overwrite: 'replace' }

    const plan = await one.plan()

    expect(blockersOf(plan, [])).toEqual([])
    expect(plan.objects.map(({ what, manifest }) => `${what} ${manifest.kind}`)).toEqual([
      'keep PersistentVolumeClaim',
      'create Service',
      'keep StatefulSet',
    ])
    expect(one.api.read(kinds.services, 'shop', 'db')).toBeUndefined()
  })

  test('and warns of a backup that a newer engine made', async () => {
    const one = new Case(shared)
    one.record = { engineVersion: '0.2.0' }

    expect((await one.plan()).findings).toContainEqual(expect.objectContaining({ level: 'warning', code: 'engine-older' }))
  })
})
