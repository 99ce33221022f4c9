import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import type { Run } from '../../../src/api/run.ts'
import { getRecord, listRecords } from '../../../src/catalog/list-records.ts'
import { createRecordWriter } from '../../../src/catalog/write-record.ts'
import { gatherSurroundings } from '../../../src/engine/surroundings.ts'
import { kinds } from '../../../src/kube/kinds.ts'
import type { Kube } from '../../../src/kube/kube.ts'
import { openKube } from '../../../src/kube/open.ts'
import { recoveryKeyOf } from '../../../src/recovery/place.ts'
import { makeApplication } from '../../../src/recovery/restore-application.ts'
import { planRestore } from '../../../src/recovery/restore-plan.ts'
import { createRecoveryKey } from '../../../src/repository/keys/recovery-key.ts'
import { S3Store } from '../../../src/store/s3.ts'
import { useTestBuckets } from '../../harness/s3/test-buckets.ts'
import { useNamespace, useWorld } from '../../harness/world/fixtures.ts'
import { apply } from '../../harness/world/objects.ts'

const world = useWorld()
const buckets = useTestBuckets(world)
const app = useNamespace(world, 'app')
const elsewhere = useNamespace(world, 'new')
const { signal } = new AbortController()
const value = 'only-in-the-seal'
const place = { name: 'bucket', namespace: app }
let folder = ''
let kube: Kube

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-secrets-'))
  kube = await openKube({ env: {}, kubeconfig: world().kubeconfig })
  const crds = resolve(import.meta.dirname, '../../../crds')
  await world().kubectl(['apply', '--server-side', '--force-conflicts', '-f', crds])
  await world().kubectl(['wait', '--for=condition=Established', '--timeout=60s', 'crd/profiles.cr.kanister.io'])
  const containers = [
    {
      name: 'main',
      image: 'holdfast.dev/none:1',
      env: [{ name: 'P', valueFrom: { secretKeyRef: { name: 'password', key: 'p' } } }],
    },
  ]
  await apply(
    world(),
    app,
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'password' }, stringData: { p: value } },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'somebody-elses' }, stringData: { p: value } },
    { apiVersion: 'cr.kanister.io/v1alpha1', kind: 'Profile', metadata: { name: place.name }, recordSecrets: true },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'db' },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: 'db' } },
        template: { metadata: { labels: { app: 'db' } }, spec: { containers } },
      },
    },
    // An engine whose right was narrowed: it may see everything of the application but Secrets.
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'narrow' } },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'narrow' },
      rules: [
        { apiGroups: ['cr.kanister.io'], resources: ['profiles', 'blueprints'], verbs: ['get'] },
        { apiGroups: [''], resources: ['services'], verbs: ['list'] },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'narrow' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'narrow' },
      subjects: [{ kind: 'ServiceAccount', name: 'narrow', namespace: app }],
    },
  )
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function aRun(): Promise<Run> {
  const object = { kind: 'Deployment', name: 'db', namespace: app }
  const found = JSON.parse(await world().kubectl(['get', 'deployment', 'db', '-n', app, '-o', 'json'])) as Record<
    string,
    unknown
  >
  const status = {
    state: 'running',
    dispatch: 1,
    fence: { owner: 'w', instance: 'i', attempt: 1 },
    phases: [],
    startedAt: '2026-11-21T10:00:00Z',
    inputs: { time: '', seed: '', object: found, workload: { Name: 'db' } },
  }
  // What the record needs of a Run.
  return {
    metadata: { name: 'run-u', namespace: app },
    spec: { actionSet: { name: 'backup', uid: 'u' }, actions: [{ action: { name: 'backup', profile: place, object } }] },
    status: { state: 'running', actions: { '0': status } },
  } as unknown as Run
}

async function asServiceAccount(): Promise<Kube> {
  const token = (await world().kubectl(['create', 'token', 'narrow', '-n', app])).trim()
  const config = parse(readFileSync(world().kubeconfig, 'utf8')) as { users: { user: object }[] }
  for (const each of config.users) each.user = { token }
  const file = join(folder, 'kubeconfig')
  writeFileSync(file, stringify(config), { mode: 0o600 })
  return openKube({ env: {}, kubeconfig: file })
}

test('Secrets go sealed into the record, come back where they are missing, and never take the place of others', async () => {
  const recoveryKey = createRecoveryKey()
  const key = recoveryKeyOf(recoveryKey)
  await using store = new S3Store(await buckets.create())
  const location = { type: 's3Compliant', bucket: 'b', endpoint: '', prefix: '', region: '', caBundle: '', checksums: '' }
  const profile = { location, credential: { type: 'keyPair' }, skipSslVerify: false }
  const write = createRecordWriter({
    installationId: 'i',
    engineVersion: '0.1.0',
    openStore: async () => store,
    catalogKey: async () => key.catalog,
    surroundings: (backup, abort) => gatherSurroundings(kube, backup, abort),
  })

  const warnings: string[] = []
  const recordKey = await write({ run: await aRun(), actionIndex: 0, profile }, signal, (text) => warnings.push(text))

  expect(warnings).toEqual([])
  const text = Buffer.from(await store.get(recordKey)).toString()
  expect(text).not.toContain(value)
  expect(text).not.toContain(Buffer.from(value).toString('base64'))
  const record = await getRecord(store, recordKey, { key: key.catalog })
  expect(record.secrets?.map(({ metadata }) => (metadata as { name: string }).name)).toEqual(['password'])
  expect(JSON.stringify(record.manifests)).not.toContain('somebody-elses')

  const request = {
    toNamespace: elsewhere,
    storageClasses: {},
    intoExisting: true,
    overwrite: 'replace' as const,
    action: 'restore',
    options: {},
    accept: [],
    engineVersion: '0.1.0',
  }
  const cluster = { kube, signal, namespace: app, profile: place, owned: [] }
  const whole = { root: store, location: store, bucket: 'b', prefix: '', keys: [key], passwords: [] }
  const listed = (await Array.fromAsync(listRecords(store)))[0]
  const restore = async (): Promise<string[]> => {
    const plan = await planRestore(whole, cluster, { ...listed, record } as never, request)
    await makeApplication(cluster, plan, { readyTimeoutMs: 60_000, say: () => undefined, made: [] })
    return plan.objects.map(({ what, manifest }) => `${what} ${manifest.kind} ${manifest.metadata.name}`)
  }
  expect(await restore()).toEqual(['create Secret password', 'create Deployment db'])
  const secrets = kube.resource(kinds.secrets)
  const at = { namespace: elsewhere, name: 'password' }
  expect((await secrets.get(at, { signal })).data).toEqual({ p: Buffer.from(value).toString('base64') })

  await secrets.patch(at, { stringData: { p: 'rotated' } }, { signal })
  expect(await restore()).toContain('keep Secret password')
  expect((await secrets.get(at, { signal })).data).toEqual({ p: Buffer.from('rotated').toString('base64') })
})

test('without the right to read them the backup is good, and the warning names the Secret', async () => {
  const narrow = await asServiceAccount()
  try {
    const { secrets, warnings, manifests } = await gatherSurroundings(narrow, { run: await aRun(), actionIndex: 0 }, signal)

    expect(secrets).toBeUndefined()
    expect(manifests).toHaveLength(1)
    expect(warnings).toEqual([expect.stringMatching(/the backup is good.*Secret password: .*forbidden/)])
  } finally {
    await narrow.close()
  }
})
