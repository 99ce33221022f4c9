import { describe, expect, test } from 'vitest'
import type { BackupRecord } from '../../../src/catalog/record.ts'
import type { Manifest } from '../../../src/recovery/manifests.ts'
import { namesOriginal, neededSecrets, redirectText, tame } from '../../../src/recovery/tame-manifests.ts'
import { aRecord } from './a-bucket.ts'

const taming = { mark: { 'holdfast.dev/verification': 'v' }, from: 'shop', to: 'copy' }

describe('a throw-away copy', () => {
  test('is marked, and no Schedule is asked for it', () => {
    const metadata = { name: 'db', namespace: 'copy', labels: { app: 'db', 'holdfast.dev/policy': 'daily' } }
    const claims = [{ metadata: { name: 'data' }, spec: {} }]
    const spec = { volumeClaimTemplates: claims }

    const tamed = tame({ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata, spec }, taming)

    expect(tamed.metadata['labels']).toEqual({ app: 'db', 'holdfast.dev/verification': 'v' })
    expect(tamed['spec']).toEqual({
      volumeClaimTemplates: [{ metadata: { name: 'data', labels: { 'holdfast.dev/verification': 'v' } }, spec: {} }],
    })
  })

  test('reaches nothing outside: no load balancer, no port of a node, no name in a DNS', () => {
    const service: Manifest = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name: 'db',
        namespace: 'copy',
        annotations: { 'external-dns.alpha.kubernetes.io/hostname': 'db.example.org' },
      },
      spec: {
        type: 'LoadBalancer',
        externalIPs: ['192.0.2.1'],
        loadBalancerIP: '192.0.2.2',
        externalTrafficPolicy: 'Local',
        ports: [{ port: 5432 }],
      },
    }

    const tamed = tame(service, taming)

    expect(tamed['spec']).toEqual({ type: 'ClusterIP', ports: [{ port: 5432 }] })
    expect(tamed.metadata['annotations']).toBeUndefined()
  })

  test.each([
    ['db.shop.svc.cluster.local', 'db.copy.svc.cluster.local'],
    ['db-0.db.shop.svc:5432', 'db-0.db.copy.svc:5432'],
    ['postgres://u:p@db.shop:5432/x', 'postgres://u:p@db.copy:5432/x'],
    ['db.shop', 'db.copy'],
    ['the shop, and a.shopping.svc', 'the shop, and a.shopping.svc'],
    ['host=db.shop.svc,db2.shop.svc', 'host=db.copy.svc,db2.copy.svc'],
  ])('speaks of itself where the original spoke of itself: %s', (text, expected) => {
    expect(redirectText(text, 'shop', 'copy')).toBe(expected)
  })

  test('still asks the one API server', () => {
    expect(redirectText('https://kubernetes.default.svc', 'default', 'copy')).toBe('https://kubernetes.default.svc')
  })

  test('a Blueprint that names the original’s namespace is found, with the place', () => {
    const action = {
      phases: [
        { args: { namespace: 'shop', command: ['psql', '-h', 'db.shop.svc'] } },
        { args: { namespace: '{{StatefulSet.Namespace}}' } },
      ],
    }

    expect(namesOriginal(action, 'shop')).toEqual(['phases[0].args.namespace', 'phases[0].args.command[2]'])
  })

  test('gets the Secrets that its pods, their images and the actions need', () => {
    const pod = {
      imagePullSecrets: [{ name: 'registry' }],
      containers: [{ env: [{ valueFrom: { secretKeyRef: { name: 'password' } } }] }],
    }
    const objects = {
      own: { kind: 'Secret', name: '{{ .StatefulSet.Name }}-login', namespace: '{{ .StatefulSet.Namespace }}' },
      unclear: { kind: 'Secret', name: '{{ .Options.secret }}' },
      config: { kind: 'ConfigMap', name: 'settings' },
    }
    const record: BackupRecord = aRecord(1, {
      manifests: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'db' }, spec: { template: { spec: pod } } }],
      request: {
        secrets: { here: { name: 'of-request', namespace: 'shop' }, elsewhere: { name: 'other', namespace: 'vault' } },
      },
      blueprint: { name: 'b', body: { actions: { restore: { phases: [{ objects }] } } } },
    })

    expect(neededSecrets(record, ['restore'])).toEqual(['db-login', 'of-request', 'password', 'registry'])
  })
})
