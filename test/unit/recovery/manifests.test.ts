import { describe, expect, test } from 'vitest'
import { claimsOf, neededBy, podSpecOf, retarget } from '../../../src/recovery/manifests.ts'
import { parseQuantity } from '../../../src/recovery/quantity.ts'

const at = (name: string) => ({ name, namespace: 'shop' })
const claim = { metadata: { name: 'data' }, spec: { storageClassName: 'fast', resources: { requests: { storage: '1Gi' } } } }
const workload = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: at('db'),
  spec: {
    replicas: 2,
    volumeClaimTemplates: [claim],
    template: {
      spec: {
        containers: [
          {
            env: [
              { valueFrom: { secretKeyRef: { name: 'pw' } } },
              { valueFrom: { configMapKeyRef: { name: 'maybe', optional: true } } },
            ],
            envFrom: [{ configMapRef: { name: 'env' } }],
          },
        ],
        volumes: [{ secret: { secretName: 'tls' } }],
      },
    },
  },
}
const manifests = [
  workload,
  { apiVersion: 'v1', kind: 'PersistentVolumeClaim', ...claim, metadata: at('data-db-0') },
  { apiVersion: 'v1', kind: 'Service', metadata: at('db'), spec: {} },
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: at('db') },
]
const source = { kind: 'StatefulSet', namespace: 'shop', name: 'db' }

describe('manifests of a record', () => {
  test('come in the order in which they need each other', () => {
    const placed = retarget(manifests, { source, namespace: 'shop', name: 'db', storageClasses: {} })

    expect(placed.map(({ kind }) => kind)).toEqual(['ServiceAccount', 'PersistentVolumeClaim', 'Service', 'StatefulSet'])
  })

  test('go to another namespace, name and storage class, with the claims that are named after the workload', () => {
    const placed = retarget(manifests, { source, namespace: 'test', name: 'copy', storageClasses: { fast: 'slow' } })

    expect(placed.map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`)).toEqual([
      'test/db',
      'test/data-copy-0',
      'test/db',
      'test/copy',
    ])
    expect(claimsOf(placed)).toEqual([
      { name: 'data-copy-0', storageClass: 'slow', storage: '1Gi' },
      { name: 'data-copy-1', storageClass: 'slow', storage: '1Gi' },
    ])
  })

  test('say which Secrets and ConfigMaps their pods cannot do without', () => {
    const { spec } = podSpecOf(workload) ?? { spec: {} }

    expect(neededBy(spec).map(({ kind, name }) => `${kind}/${name}`)).toEqual(['Secret/pw', 'Secret/tls', 'ConfigMap/env'])
  })
})

test.each([
  ['1Gi', 2 ** 30],
  ['500m', 0.5],
  ['1e3', 1000],
  ['2k', 2000],
  ['', 0],
  ['x', 0],
])('the quantity %s is %d', (text, number) => {
  expect(parseQuantity(text)).toBe(number)
})
