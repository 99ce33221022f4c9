import type { FrozenInputs } from '../api/run.ts'
import type { ObjectReference } from '../api/object-reference.ts'

/** An object that the application needs, by its kind in `kinds`. */
export interface Related {
  readonly kind: 'ConfigMap' | 'PersistentVolumeClaim' | 'ServiceAccount'
  readonly name: string
}

interface PodSpec {
  readonly serviceAccountName?: string
  readonly containers?: readonly Container[]
  readonly initContainers?: readonly Container[]
  readonly volumes?: readonly {
    readonly configMap?: { readonly name?: string }
    readonly persistentVolumeClaim?: { readonly claimName?: string }
    readonly projected?: { readonly sources?: readonly { readonly configMap?: { readonly name?: string } }[] }
  }[]
}

interface Container {
  readonly image?: string
  readonly envFrom?: readonly { readonly configMapRef?: { readonly name?: string } }[]
  readonly env?: readonly { readonly valueFrom?: { readonly configMapKeyRef?: { readonly name?: string } } }[]
}

interface WorkloadObject {
  readonly spec?: {
    readonly serviceName?: string
    readonly template?: { readonly metadata?: { readonly labels?: Record<string, string> }; readonly spec?: PodSpec }
  }
}

/** What a frozen workload says about the objects around it. Of any other object: nothing. */
export interface Neighbourhood {
  readonly namespace: string
  readonly images: readonly string[]
  readonly related: readonly Related[]
  /** Services whose selector matches these labels, or that are named so, belong to it. */
  readonly podLabels: Readonly<Record<string, string>>
  readonly serviceName: string
}

export function neighbourhoodOf(inputs: Pick<FrozenInputs, 'object' | 'workload'>, ref: ObjectReference): Neighbourhood {
  const { spec } = (inputs.object ?? {}) as WorkloadObject
  const pod = spec?.template?.spec ?? {}
  const containers = [...(pod.initContainers ?? []), ...(pod.containers ?? [])]
  const claims = Object.values((inputs.workload?.['PersistentVolumeClaims'] ?? {}) as Record<string, Record<string, unknown>>)
  const names = (kind: Related['kind'], found: readonly (string | undefined)[]): Related[] =>
    [...new Set(found.flatMap((name) => name || []))].toSorted((a, b) => (a < b ? -1 : 1)).map((name) => ({ kind, name }))
  return {
    namespace: ref.namespace ?? '',
    images: [...new Set(containers.flatMap(({ image }) => image ?? []))],
    related: [
      ...names('ServiceAccount', pod.serviceAccountName === 'default' ? [] : [pod.serviceAccountName]),
      ...names('ConfigMap', configMapsOf(pod, containers)),
      ...names('PersistentVolumeClaim', [
        ...(pod.volumes ?? []).map(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName),
        ...claims.flatMap((ofPod) => Object.keys(ofPod)),
      ]),
    ],
    podLabels: spec?.template?.metadata?.labels ?? {},
    serviceName: spec?.serviceName ?? '',
  }
}

function configMapsOf({ volumes = [] }: PodSpec, containers: readonly Container[]): (string | undefined)[] {
  return [
    ...volumes.map(({ configMap }) => configMap?.name),
    ...volumes.flatMap(({ projected }) => (projected?.sources ?? []).map(({ configMap }) => configMap?.name)),
    ...containers.flatMap(({ envFrom = [] }) => envFrom.map(({ configMapRef }) => configMapRef?.name)),
    ...containers.flatMap(({ env = [] }) => env.map(({ valueFrom }) => valueFrom?.configMapKeyRef?.name)),
  ]
}
