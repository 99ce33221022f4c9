import type { Pod } from './kinds.ts'
import type { Live, Unstructured } from './objects.ts'

/** Compared case-insensitively in ActionSets; here in lower case. */
export type WorkloadKind = 'statefulset' | 'deployment' | 'deploymentconfig'

export interface WorkloadRef {
  /** Any case. Anything but the three kinds is KUBE_WORKLOAD. */
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

/** What templates see of a workload (engine.md 3.4 of Kanister). Frozen into a Run as it is. */
export interface WorkloadFacts {
  readonly kind: WorkloadKind
  readonly namespace: string
  readonly name: string
  /** The object as stored, for `.Object`. */
  readonly object: Live<Unstructured>
  /** Running pods by name. */
  readonly pods: readonly string[]
  /** Container names per pod, same index as `pods`, from status.containerStatuses. */
  readonly containers: readonly (readonly string[])[]
  /** Pod name -> PVC name -> mount path. Pods without mounted PVCs are absent. */
  readonly persistentVolumeClaims: Readonly<Record<string, Readonly<Record<string, string>>>>
}

export interface ScaleOptions {
  readonly signal?: AbortSignal | undefined
  /** Wait until the count is reached. @default true */
  readonly waitForReady?: boolean
  /** @default 900_000 */
  readonly timeoutMs?: number | undefined
  /** Called with the count before the change, before anything is changed: the place for a checkpoint. */
  readonly beforeChange?: (previous: number) => Promise<void>
}

export interface Workloads {
  /** Throws KUBE_NOT_FOUND with the API's own words (`statefulsets.apps "x" not found`). */
  describe(ref: WorkloadRef, options?: { readonly signal?: AbortSignal | undefined }): Promise<WorkloadFacts>
  /** Pods owned by the workload, in any phase. */
  podsOf(ref: WorkloadRef, options?: { readonly signal?: AbortSignal | undefined }): Promise<readonly Live<Pod>[]>
  /**
   * Sets the replica count through the scale subresource and waits until it is reached: status current for this
   * generation, ready pods equal to the count, no surplus pod left (terminal ones ignored). KUBE_SCALE_TIMEOUT names
   * the pods that are missing and why.
   */
  scale(ref: WorkloadRef, replicas: number, options?: ScaleOptions): Promise<{ readonly previous: number }>
}
