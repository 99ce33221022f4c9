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
    readonly secret?: { readonly secretName?: string; readonly optional?: boolean }
    readonly persistentVolumeClaim?: { readonly claimName?: string }
    readonly projected?: {
      readonly sources?: readonly { readonly configMap?: { readonly name?: string }; readonly secret?: SecretRef }[]
    }
  }[]
}

interface Container {
  readonly image?: string
  readonly envFrom?: readonly { readonly configMapRef?: { readonly name?: string }; readonly secretRef?: SecretRef }[]
  readonly env?: readonly {
    readonly valueFrom?: { readonly configMapKeyRef?: { readonly name?: string }; readonly secretKeyRef?: SecretRef }
  }[]
}

/** How a pod names a Secret. */
export interface SecretRef {
  readonly name?: string
  /** The pod starts without it too. */
  readonly optional?: boolean
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
  /** Secrets that the containers and volumes name, those of images not among them. */
  readonly secrets: readonly Required<SecretRef>[]
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
    secrets: secretsOf(pod, containers),
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

/** Whoever names one without `optional` needs it. */
function secretsOf({ volumes = [] }: PodSpec, containers: readonly Container[]): Required<SecretRef>[] {
  const refs = [
    ...volumes.map(({ secret }) => secret && { ...secret, name: secret.secretName ?? '' }),
    ...volumes.flatMap(({ projected }) => (projected?.sources ?? []).map(({ secret }) => secret)),
    ...containers.flatMap(({ envFrom = [] }) => envFrom.map(({ secretRef }) => secretRef)),
    ...containers.flatMap(({ env = [] }) => env.map(({ valueFrom }) => valueFrom?.secretKeyRef)),
  ].filter((ref) => ref?.name)
  const byName = Map.groupBy(refs, (ref) => ref?.name ?? '')
  return [...byName]
    .map(([name, of]) => ({ name, optional: of.every((ref) => ref?.optional === true) }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}
