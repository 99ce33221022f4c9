import type { ClusterReader } from '../../src/engine/references.ts'
import type { ObjectKey, ResourceName } from '../../src/kube/objects.ts'

/**
 * A cluster that has whatever is asked for, for dry runs of Blueprints whose applications are not there: labels as the charts set
 * them, Secrets and ConfigMaps with every key of `keys`.
 */
export function plausibleCluster(keys: Iterable<string>): ClusterReader {
  const all = [...keys]
  const reader = {
    resource: (def: ResourceName) => ({ get: async (key: ObjectKey) => plausibleObject(def, key, all) }),
    workloads: { describe: async (ref: ObjectKey) => workload(ref) },
  }
  // What a dry run asks of a cluster is these two.
  return reader as unknown as ClusterReader
}

function plausibleObject({ resource }: ResourceName, { name, namespace }: ObjectKey, keys: readonly string[]): unknown {
  const metadata = {
    name,
    ...(namespace ? { namespace } : {}),
    uid: '6a1f8f0a-0000-4000-8000-000000000001',
    labels: { 'app.kubernetes.io/instance': 'shop', 'app.kubernetes.io/component': 'primary', app: 'shop', release: 'shop' },
    annotations: {},
  }
  if (resource === 'secrets')
    return { metadata, type: 'Opaque', data: valuesOf(keys, (key) => Buffer.from(key).toString('base64')) }
  if (resource === 'configmaps') return { metadata, data: valuesOf(keys, (key) => `the-${key}`) }
  if (resource === 'profiles') return { metadata, ...profile(namespace ?? '') }
  return {
    metadata,
    spec: { nodeSets: [{ name: 'default', count: 3 }], replicas: 1, serviceName: name },
    status: { phase: 'Running' },
  }
}

function valuesOf(keys: readonly string[], value: (key: string) => string): Record<string, string> {
  return Object.fromEntries(keys.map((key) => [key, value(key)]))
}

function profile(namespace: string): object {
  const secret = { apiVersion: 'v1', kind: 'Secret', name: 'login', namespace }
  return {
    location: { type: 's3Compliant', bucket: 'bucket', endpoint: 'https://s3.example.org', region: 'eu-1', prefix: 'team' },
    credential: { type: 'keyPair', keyPair: { idField: 'id', secretField: 'secret', secret } },
    skipSSLVerify: false,
  }
}

function workload({ name, namespace = '' }: ObjectKey): unknown {
  const pods = [`${name}-0`, `${name}-1`]
  return {
    name,
    namespace,
    pods,
    containers: pods.map(() => ['main', 'sidecar']),
    persistentVolumeClaims: Object.fromEntries(pods.map((pod) => [pod, { [`data-${pod}`]: '/data' }])),
    object: plausibleObject({ group: 'apps', version: 'v1', resource: 'workloads' } as ResourceName, { name, namespace }, []),
  }
}
