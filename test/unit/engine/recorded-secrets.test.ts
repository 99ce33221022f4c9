import { beforeEach, describe, expect, test } from 'vitest'
import type { Run } from '../../../src/api/run.ts'
import { buildRecord } from '../../../src/catalog/build-record.ts'
import { deriveCatalogKey } from '../../../src/catalog/catalog-key.ts'
import { parseRecord, renderRecord } from '../../../src/catalog/record.ts'
import { gatherSurroundings } from '../../../src/engine/surroundings.ts'
import { kubeError } from '../../../src/kube/errors.ts'
import { kinds } from '../../../src/kube/kinds.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'
import { FakeApi } from '../../build/fake-api.ts'

const { signal } = new AbortController()
const value = 'kept-in-the-seal'
let api: FakeApi

const podSpec = {
  imagePullSecrets: [{ name: 'registry' }],
  containers: [
    {
      name: 'pg',
      image: 'postgres:15',
      env: [{ name: 'PGPASSWORD', valueFrom: { secretKeyRef: { name: 'password', key: 'p' } } }],
      envFrom: [{ secretRef: { name: 'extra', optional: true } }],
    },
  ],
  volumes: [
    { name: 'tls', secret: { secretName: 'tls' } },
    { name: 'all', projected: { sources: [{ secret: { name: 'projected' } }] } },
    { name: 'token', secret: { secretName: 'token' } },
  ],
}

function aRun(): Run {
  const object = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'db', namespace: 'shop' } }
  const workload = { Name: 'db', PersistentVolumeClaims: {} }
  const profile = { name: 'p', namespace: 'kanister' }
  return {
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'Run',
    metadata: { name: 'run-u', namespace: 'kanister', uid: 'r', resourceVersion: '1' },
    spec: {
      actionSet: { name: 'backup', uid: 'u' },
      actions: [{ action: { name: 'backup', profile, object: { kind: 'StatefulSet', name: 'db', namespace: 'shop' } } }],
    },
    status: {
      state: 'running',
      actions: {
        '0': {
          state: 'running',
          dispatch: 1,
          fence: { owner: 'w', instance: 'i', attempt: 1 },
          phases: [],
          startedAt: '2026-11-21T10:00:00Z',
          inputs: { time: '', seed: '', object: { ...object, spec: { template: { spec: podSpec } } }, workload },
        },
      },
    },
  }
}

function putSecret(name: string, more: object = {}): void {
  const metadata = { name, namespace: 'shop', annotations: { 'kubectl.kubernetes.io/last-applied-configuration': value } }
  const secret = { metadata, type: 'Opaque', data: { p: Buffer.from(value).toString('base64') }, ...more }
  api.put(kinds.secrets, secret as never)
}

function putProfile(more: { readonly recordSecrets?: boolean; readonly annotations?: Record<string, string> } = {}): void {
  const { annotations = {}, ...fields } = more
  api.put(ownKinds.profiles, { metadata: { name: 'p', namespace: 'kanister', annotations }, ...fields } as never)
}

const gather = () => gatherSurroundings(api.kube(), { run: aRun(), actionIndex: 0 }, signal)
const namesOf = (secrets: readonly Record<string, unknown>[] = []): string[] =>
  secrets.map(({ metadata }) => (metadata as { name: string }).name)

beforeEach(() => {
  api = new FakeApi()
  for (const name of ['password', 'tls', 'projected', 'registry', 'somebody-elses']) putSecret(name)
  putSecret('token', { type: 'kubernetes.io/service-account-token' })
})

describe('Secrets beside a backup', () => {
  test('are not kept, nor read, unless the Profile says so', async () => {
    putProfile()
    const { secrets, warnings } = await gather()

    expect(secrets).toBeUndefined()
    expect(warnings).toBeUndefined()
    expect(api.requests.filter((each) => JSON.stringify(each).includes('secrets'))).toEqual([])
  })

  test.each([{ recordSecrets: true }, { annotations: { 'holdfast.dev/record-secrets': 'true' } }])(
    'are those of env, envFrom and volumes with %j; not of images, no tokens, none of others',
    async (how) => {
      putProfile(how)
      const { secrets, warnings, manifests } = await gather()

      expect(namesOf(secrets)).toEqual(['password', 'projected', 'tls'])
      expect(secrets?.[0]).toEqual({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'password', namespace: 'shop' },
        type: 'Opaque',
        data: { p: Buffer.from(value).toString('base64') },
      })
      expect(warnings).toBeUndefined()
      expect(namesOf(manifests)).toEqual(['db'])
    },
  )

  test('that may not be read, or are not there although they are needed, are named in record and warning; the others are kept', async () => {
    putProfile({ recordSecrets: true })
    api.remove(kinds.secrets, 'shop', 'tls')
    api.before = ({ resource, name }) => {
      if (resource === 'secrets' && name === 'password') throw kubeError('KUBE_FORBIDDEN', 'secrets "password" is forbidden')
    }
    const { secrets, warnings, omitted } = await gather()

    expect(namesOf(secrets)).toEqual(['projected'])
    expect(warnings).toEqual([expect.stringMatching(/the backup is good.*Secret password: .*forbidden.*Secret tls/)])
    expect(omitted.filter((each) => each.startsWith('Secret '))).toHaveLength(2)
  })

  test('that are too large together are left out', async () => {
    putProfile({ recordSecrets: true })
    putSecret('password', { data: { p: 'A'.repeat(600_000) } })

    expect((await gather()).warnings).toEqual([expect.stringContaining('Secret password: the Secrets together are larger')])
  })

  test('stand in the seal of the record only, whole, even if they hold the credentials of the Profile', async () => {
    putProfile({ recordSecrets: true })
    const surroundings = await gather()
    const location = { type: 's3Compliant', bucket: 'b', endpoint: '', prefix: '', region: '', caBundle: '', checksums: '' }
    const profile = { location, credential: { type: 'keyPair', keyPair: { id: 'i', secret: value } }, skipSslVerify: false }
    const author = { installationId: 'i', engineVersion: '0' }
    const key = deriveCatalogKey(Buffer.alloc(32, 1), 'aaaa1111')

    const text = renderRecord(buildRecord({ run: aRun(), actionIndex: 0, profile, surroundings }, author), key)

    expect(text).not.toContain(value)
    expect(text).not.toContain(Buffer.from(value).toString('base64'))
    expect(parseRecord(text, 'x', key).secrets).toEqual(surroundings.secrets)
  })
})
