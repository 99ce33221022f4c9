import type { Json } from '../../schema/crd.ts'
import type { RbacRule } from '../../functions/define.ts'
import { phaseFunctions } from '../../functions/registry.ts'

/** Rules that come into the engine's role with this label on their ClusterRole. */
export const aggregationLabel = 'holdfast.dev/aggregate-to-engine'

/** What the engine itself does, whatever the Blueprints ask for. */
const engineRules: readonly RbacRule[] = [
  {
    apiGroups: ['cr.kanister.io'],
    resources: ['actionsets'],
    verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
  },
  { apiGroups: ['cr.kanister.io'], resources: ['profiles'], verbs: ['get', 'list'] },
  // A Blueprint that is gone is made again from a record, to remove its backups; an import brings Blueprints and Schedules. That of checks the
  // engine keeps itself.
  { apiGroups: ['cr.kanister.io'], resources: ['blueprints'], verbs: ['get', 'create', 'patch'] },
  { apiGroups: ['holdfast.dev'], resources: ['schedules'], verbs: ['get', 'list', 'watch', 'create', 'patch'] },
  { apiGroups: ['holdfast.dev'], resources: ['catalogimports'], verbs: ['get', 'list', 'watch', 'patch'] },
  {
    apiGroups: ['holdfast.dev'],
    resources: ['verifications'],
    verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'],
  },
  // Objects that a Schedule protects by their labels.
  { apiGroups: [''], resources: ['namespaces', 'persistentvolumeclaims'], verbs: ['list', 'watch'] },
  { apiGroups: ['holdfast.dev'], resources: ['runs'], verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'] },
  {
    apiGroups: ['coordination.k8s.io'],
    resources: ['leases'],
    verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
  },
  { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
  { apiGroups: [''], resources: ['namespaces', 'configmaps', 'secrets', 'serviceaccounts'], verbs: ['get'] },
  // Services of the object, for the record.
  { apiGroups: [''], resources: ['services'], verbs: ['list'] },
  { apiGroups: [''], resources: ['persistentvolumeclaims', 'persistentvolumes', 'nodes'], verbs: ['get'] },
  { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: ['apps'], resources: ['deployments', 'statefulsets', 'replicasets'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: [''], resources: ['replicationcontrollers'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: ['apps.openshift.io'], resources: ['deploymentconfigs'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: ['apiextensions.k8s.io'], resources: ['customresourcedefinitions'], verbs: ['get'] },
]

/** What a test restore does: a namespace that comes and goes, and the kinds of objects that a record keeps. */
const testRestoreRules: readonly RbacRule[] = [
  { apiGroups: [''], resources: ['namespaces'], verbs: ['get', 'list', 'create', 'delete'] },
  {
    apiGroups: [''],
    resources: ['configmaps', 'persistentvolumeclaims', 'secrets', 'serviceaccounts', 'services'],
    verbs: ['get', 'create'],
  },
  { apiGroups: ['apps'], resources: ['deployments', 'statefulsets'], verbs: ['get', 'create'] },
  { apiGroups: ['apps'], resources: ['deployments/scale', 'statefulsets/scale'], verbs: ['get', 'update', 'patch'] },
  { apiGroups: ['apps'], resources: ['replicasets'], verbs: ['get', 'list', 'watch'] },
  // Where `isolate` is asked for.
  { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: ['create'] },
  // What the plan looks at before anything is made.
  { apiGroups: [''], resources: ['resourcequotas', 'nodes'], verbs: ['list'] },
  { apiGroups: ['storage.k8s.io'], resources: ['storageclasses'], verbs: ['list'] },
  { apiGroups: ['scheduling.k8s.io'], resources: ['priorityclasses'], verbs: ['get'] },
  { apiGroups: ['node.k8s.io'], resources: ['runtimeclasses'], verbs: ['get'] },
]

/** Not in the default installation: whoever wants backups proven by test restores adds it. Comes into the engine's role by its label. */
export function testRestoreRole(): Json {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: {
      name: 'holdfast-engine-verification',
      labels: { 'app.kubernetes.io/part-of': 'holdfast', [aggregationLabel]: 'true' },
    },
    rules: testRestoreRules,
  }
}

/** All rules, one per group and resource, from the engine's own and from what each function declares. */
export function engineRights(): RbacRule[] {
  const verbs = new Map<string, Set<string>>()
  for (const rule of [...engineRules, ...phaseFunctions.flatMap((fn) => fn.rbac)]) {
    for (const group of rule.apiGroups) {
      for (const resource of rule.resources) {
        const key = `${group}/${resource}`
        verbs.set(key, new Set([...(verbs.get(key) ?? []), ...rule.verbs]))
      }
    }
  }
  // A group holds no slash; a resource may (pods/exec).
  return [...verbs]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, set]) => {
      const slash = key.indexOf('/')
      return { apiGroups: [key.slice(0, slash)], resources: [key.slice(slash + 1)], verbs: [...set].sort() }
    })
}

/**
 * The roles: an aggregated one that is bound, and one that fills it with the rights for the built-in kinds. Rights for further
 * kinds (a KubeOps on a custom resource, a workload of an operator) come by a ClusterRole of the user's own with the same label.
 */
export function roles(namespace: string, serviceAccount: string): Json[] {
  const labels = { 'app.kubernetes.io/part-of': 'holdfast' }
  const api = 'rbac.authorization.k8s.io/v1'
  return [
    {
      apiVersion: api,
      kind: 'ClusterRole',
      metadata: { name: 'holdfast-engine', labels },
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [aggregationLabel]: 'true' } }] },
      rules: [],
    },
    {
      apiVersion: api,
      kind: 'ClusterRole',
      metadata: { name: 'holdfast-engine-builtin', labels: { ...labels, [aggregationLabel]: 'true' } },
      rules: engineRights(),
    },
    {
      apiVersion: api,
      kind: 'ClusterRoleBinding',
      metadata: { name: 'holdfast-engine', labels },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'holdfast-engine' },
      subjects: [{ kind: 'ServiceAccount', name: serviceAccount, namespace }],
    },
  ]
}
