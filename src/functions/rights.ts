import type { RbacRule } from './define.ts'

/** Functions that run a command by exec need these rights. */
export const execRules = [
  { apiGroups: [''], resources: ['pods'], verbs: ['get'] },
  { apiGroups: [''], resources: ['pods/exec'], verbs: ['get', 'create'] },
] as const

/** Functions that make a pod of their own need these. */
export const jobPodRules = [
  { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch', 'create', 'delete'] },
  { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] },
  { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'create', 'patch', 'delete'] },
  { apiGroups: [''], resources: ['persistentvolumeclaims', 'persistentvolumes', 'nodes', 'events'], verbs: ['get', 'list'] },
] as const

/** Functions that open a repository need these: its working password is in a Secret, its init under a Lease. */
export const repositoryRules = [
  { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'create', 'patch'] },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'update', 'delete'] },
] as const

/**
 * Functions that take any kind of object need these on the namespaced kinds that every cluster has. Other kinds are the user's to
 * grant: cluster-wide ones, since a mistake there reaches everybody, and those of operators, since they cannot be foreseen.
 */
export function builtInRules(verbs: readonly string[]): RbacRule[] {
  return builtInKinds.map((kind) => ({ ...kind, verbs }))
}

const builtInKinds = [
  { apiGroups: [''], resources: ['configmaps', 'persistentvolumeclaims', 'pods', 'secrets', 'serviceaccounts', 'services'] },
  { apiGroups: ['apps'], resources: ['daemonsets', 'deployments', 'statefulsets'] },
  { apiGroups: ['batch'], resources: ['cronjobs', 'jobs'] },
  { apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers'] },
  { apiGroups: ['networking.k8s.io'], resources: ['ingresses', 'networkpolicies'] },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets'] },
] as const
