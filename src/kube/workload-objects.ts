import { kubeError } from './errors.ts'
import { kinds } from './kinds.ts'
import type { KubeObject, Live, ResourceDef, Unstructured } from './objects.ts'
import type { WorkloadKind, WorkloadRef } from './workloads.ts'

export interface Workload {
  readonly kind: WorkloadKind
  readonly object: Live<Unstructured>
  readonly spec: WorkloadSpec
  readonly status: WorkloadStatus
}

interface WorkloadSpec {
  readonly replicas?: number
  readonly selector?: LabelSelector | Readonly<Record<string, string>>
}

export interface WorkloadStatus {
  readonly observedGeneration?: number
  readonly replicas?: number
  readonly readyReplicas?: number
  readonly updatedReplicas?: number
  readonly availableReplicas?: number
  readonly latestVersion?: number
}

interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly {
    readonly key: string
    readonly operator: string
    readonly values?: readonly string[]
  }[]
}

const defs: Readonly<Record<WorkloadKind, ResourceDef<Unstructured>>> = {
  statefulset: untyped(kinds.statefulSets),
  deployment: untyped(kinds.deployments),
  deploymentconfig: kinds.deploymentConfigs,
}

export function parseWorkload(ref: WorkloadRef): { readonly kind: WorkloadKind; readonly def: ResourceDef<Unstructured> } {
  const kind = ref.kind.toLowerCase()
  if (kind === 'statefulset' || kind === 'deployment' || kind === 'deploymentconfig') return { kind, def: defs[kind] }
  throw kubeError('KUBE_WORKLOAD', `Workload type not supported ${ref.kind}; use StatefulSet, Deployment or DeploymentConfig`)
}

export function workloadOf(kind: WorkloadKind, object: Live<Unstructured>): Workload {
  // The API server checked both against its own schema.
  return { kind, object, spec: (object.spec ?? {}) as WorkloadSpec, status: (object.status ?? {}) as WorkloadStatus }
}

/** The labels of the workload's pods as a query, so that the server filters. */
export function selectorOf({ kind, spec }: Workload): string {
  const selector = spec.selector ?? {}
  if (kind === 'deploymentconfig')
    return Object.entries(selector)
      .map(([key, value]) => `${key}=${String(value)}`)
      .join(',')
  const { matchLabels = {}, matchExpressions = [] } = selector as LabelSelector
  return [...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`), ...matchExpressions.map(expression)].join(
    ',',
  )
}

function expression({ key, operator, values = [] }: NonNullable<LabelSelector['matchExpressions']>[number]): string {
  switch (operator) {
    case 'In':
      return `${key} in (${values.join(',')})`
    case 'NotIn':
      return `${key} notin (${values.join(',')})`
    case 'Exists':
      return key
    case 'DoesNotExist':
      return `!${key}`
    default:
      throw kubeError('KUBE_WORKLOAD', `label selector operator ${operator} is not known`)
  }
}

export function ownedBy(object: Live<KubeObject>, uid: string): boolean {
  return object.metadata.ownerReferences?.some((owner) => owner.uid === uid) ?? false
}

function untyped(def: Omit<ResourceDef, 'objectType'>): ResourceDef<Unstructured> {
  const { group, version, resource, kind } = def
  return { group, version, resource, ...(kind !== undefined && { kind }) }
}
