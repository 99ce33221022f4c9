import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { BackupRecord } from '../../../src/catalog/record.ts'
import { kinds, type Namespace, type Secret } from '../../../src/kube/kinds.ts'
import type { Kube } from '../../../src/kube/kube.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'
import { getBackupByKey, lookAtBackup } from '../../../src/recovery/look-at-backup.ts'
import { recordKey } from '../../../src/catalog/record-key.ts'
import { makeTestApplication, refuseWithoutRights, type TestRestoreRequest } from '../../../src/recovery/test-restore.ts'
import { FakeApi } from '../../build/fake-api.ts'
import { aBucket, aRecord, putRecord } from './a-bucket.ts'

const { signal } = new AbortController()
let bucket: Awaited<ReturnType<typeof aBucket>>
let api: FakeApi
let denied: string[]
let scaled: string[]
let number = 20

beforeAll(async () => {
  bucket = await aBucket()
}, 60_000)
beforeEach(() => {
  api = new FakeApi()
  denied = []
  scaled = []
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted', team: 'a' }
  api.put(kinds.namespaces, { metadata: { name: 'shop', labels } } as unknown as Namespace)
  secret('login', { url: 'postgres://u:p@db.shop.svc/x', key: Buffer.from([255, 254, 0]) })
})

function secret(name: string, values: Readonly<Record<string, string | Buffer>>): void {
  const data = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))
  api.put(kinds.secrets, { metadata: { name, namespace: 'shop' }, type: 'Opaque', data } as unknown as Secret)
}

function kube(): Kube {
  const plurals: Readonly<Record<string, string>> = {
    StatefulSet: 'statefulsets',
    Service: 'services',
    Namespace: 'namespaces',
  }
  const wrapped: Partial<Kube> = {
    discover: async (apiVersion, kind) => {
      const [group = '', version = ''] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion]
      return { group, version, resource: plurals[kind] ?? '', kind, namespaced: kind !== 'Namespace' }
    },
    client: {
      request: async ({
        body,
      }: {
        readonly body: { readonly spec: { readonly resourceAttributes: Record<string, string> } }
      }) => {
        const { verb = '', resource = '' } = body.spec.resourceAttributes
        return { status: { allowed: !denied.includes(`${verb} ${resource}`) } }
      },
    } as never,
    workloads: {
      scale: async ({ name, namespace }: Record<string, string>) => void scaled.push(`${namespace}/${name}`),
    } as never,
  }
  // A dry run makes nothing.
  const real = api.kube()
  const resource: Kube['resource'] = (def) => {
    const all = real.resource(def)
    return new Proxy(all, {
      get: (target, field) =>
        field === 'create'
          ? (object: never, options?: { readonly dryRun?: boolean }) =>
              options?.dryRun ? object : target.create(object, options)
          : (Reflect.get(target, field) as unknown),
    })
  }
  return { ...real, ...wrapped, resource }
}

const login = { containers: [{ env: [{ valueFrom: { secretKeyRef: { name: 'login' } } }] }] }
const metadata = { name: 'db', namespace: 'shop' }

async function aBackup(more: Partial<BackupRecord> = {}): Promise<string> {
  const { artifacts = {}, phases = [] } = bucket.records[0] ?? {}
  const manifests = [
    { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata, spec: { replicas: 2, template: { spec: login } } },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { type: 'LoadBalancer' } },
  ]
  const record = aRecord(number++, { artifacts, phases, manifests, ...more })
  await putRecord(bucket.location, record)
  return recordKey(record)
}

async function make(key: string, change: Partial<TestRestoreRequest> = {}) {
  const cluster = { kube: kube(), namespace: 'holdfast', profile: { name: 'p', namespace: 'holdfast' }, signal }
  const backup = await getBackupByKey(bucket.place, key, signal)
  return await makeTestApplication(bucket.place, cluster, backup, {
    namespace: 'copy',
    label: 'v',
    annotations: { 'holdfast.dev/verification-uid': 'u' },
    action: 'restore',
    options: {},
    storageClasses: {},
    copySecrets: true,
    isolate: false,
    accept: [],
    engineVersion: '0.1.0',
    readyTimeoutMs: 1_000,
    ...change,
  })
}

describe('a test restore', () => {
  test('makes namespace, Secrets and manifests, waits for readiness, and says how its data comes', async () => {
    const { plan } = await make(await aBackup())

    const mark = { 'holdfast.dev/verification': 'v' }
    expect(
      api.read(kinds.namespaces, '', 'copy') ?? api.all(kinds.namespaces).find((each) => each.metadata.name === 'copy'),
    ).toMatchObject({
      metadata: {
        labels: { ...mark, 'pod-security.kubernetes.io/enforce': 'restricted' },
        annotations: { 'holdfast.dev/verification-uid': 'u' },
      },
    })
    const copied = api.read(kinds.secrets, 'copy', 'login')
    expect(Buffer.from((copied?.data?.['url'] ?? '') as string, 'base64').toString()).toBe('postgres://u:p@db.copy.svc/x')
    expect(Buffer.from((copied?.data?.['key'] ?? '') as string, 'base64')).toEqual(Buffer.from([255, 254, 0]))
    expect(api.read(kinds.statefulSets, 'copy', 'db')).toMatchObject({ metadata: { labels: mark }, spec: { replicas: 2 } })
    expect(api.read(kinds.services, 'copy', 'db')).toMatchObject({ spec: { type: 'ClusterIP' } })
    expect(scaled).toEqual(['copy/db'])
    expect(plan.spec).toMatchObject({ name: 'restore', blueprint: 'postgresql', object: { name: 'db', namespace: 'copy' } })
    expect(api.all(ownKinds.actionSets)).toEqual([])
  })

  test('lets its pods reach nobody but each other where that is asked for', async () => {
    await make(await aBackup(), { isolate: true })

    const policies = { group: 'networking.k8s.io', version: 'v1', resource: 'networkpolicies' }
    expect(api.read(policies, 'copy', 'holdfast-verification')).toMatchObject({
      spec: { podSelector: {}, policyTypes: ['Egress'], egress: [{ to: [{ podSelector: {} }] }, expect.anything()] },
    })
  })

  test('without copies of Secrets names those that the pods lack', async () => {
    await expect(make(await aBackup(), { copySecrets: false })).rejects.toMatchObject({
      code: 'RECOVERY_BLOCKED',
      message: expect.stringContaining('Secret copy/login, which the pods need'),
      details: { lacksData: false },
    })
    expect(scaled).toEqual([])
  })

  test('is refused where the Blueprint would work on the original, unless somebody says that it does no harm', async () => {
    const phases = [{ func: 'KubeExec', name: 'load', args: { namespace: 'shop', pod: 'db-0' } }]
    const body = { kind: 'Blueprint', metadata: { name: 'fixed' }, actions: { restore: { phases } } }
    const key = await aBackup({ blueprint: { name: 'fixed', body } })

    await expect(make(key)).rejects.toMatchObject({
      message: expect.stringContaining(
        'action restore of Blueprint fixed at phases[0].args.namespace names the namespace shop',
      ),
    })
    expect(api.all(kinds.namespaces)).toHaveLength(1)
    await expect(make(key, { accept: ['names-original'] })).resolves.toMatchObject({ plan: { spec: { blueprint: 'fixed' } } })
  })

  test('a right that is missing is named with the file that gives it', async () => {
    denied = ['create statefulsets']
    await expect(make(await aBackup())).rejects.toThrow(/the engine may not create statefulsets.*deploy\/verification\.yaml/)

    denied = ['delete namespaces']
    await expect(refuseWithoutRights({ kube: kube(), signal })).rejects.toThrow(
      /may not delete namespaces.*deploy\/verification\.yaml/,
    )
  })

  test('a namespace that somebody else made is not taken', async () => {
    api.put(kinds.namespaces, { metadata: { name: 'copy' } } as Namespace)

    await expect(make(await aBackup())).rejects.toThrow('namespace copy is there and was not made for this')
  })

  test('data that is missing is told apart from all else', async () => {
    const key = await aBackup({ phases: [], artifacts: { dump: { keyValue: { path: 'gone/away.sql' } } } })

    await expect(make(key)).rejects.toMatchObject({ details: { lacksData: true } })
  })
})

describe('a look at one backup', () => {
  test('that is sound names its repositories', async () => {
    const look = await lookAtBackup(bucket.place, await aBackup(), signal)

    expect(look).toMatchObject({ damage: [], notes: [], repositories: ['team/holdfast/shop'] })
  })

  test('names a record that was changed, and one that is gone', async () => {
    const key = await aBackup()
    const text = Buffer.from(await bucket.location.get(key)).toString()
    await bucket.location.put(key, Buffer.from(text.replace('"action": "backup"', '"action": "backdoor"')))
    const changed = await lookAtBackup(bucket.place, key, signal)
    await bucket.location.delete(key)
    const gone = await lookAtBackup(bucket.place, key, signal)

    expect(changed.damage.join(' ')).toMatch(/was changed after it was written.*is not the one that was written/)
    expect(gone.damage.join(' ')).toMatch(/is not in .*is gone, and nothing says that it was removed/)
  })
})
