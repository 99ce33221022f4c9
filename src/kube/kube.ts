import type { KubeClient } from './client.ts'
import type { EventSink } from './events.ts'
import type { KubeExec } from './exec/exec.ts'
import type { Informer, InformerOptions } from './informer.ts'
import type { Leases } from './lease.ts'
import type { KubeObject, Live, ObjectKey, ResourceDef, ResourceName, Unstructured } from './objects.ts'
import type { Pods } from './pods.ts'
import type { ResourceApi } from './resource-api.ts'
import type { Workloads } from './workloads.ts'

export interface WaitForOptions {
  readonly signal?: AbortSignal | undefined
  /** KUBE_TIMEOUT after this many ms. */
  readonly timeoutMs: number
  /** Names the condition in the error: `to be Bound`. */
  readonly what: string
}

/** All we say to one API server. Handed down as a whole; a room takes the part it needs (`Pick<Kube, 'exec'>`). */
export interface Kube {
  readonly client: KubeClient
  /** Typed or unstructured access: `kube.resource(kinds.pods)`, `kube.resource({ group, version, resource })`. */
  resource<T extends KubeObject = Unstructured>(def: ResourceDef<T>): ResourceApi<T>
  /** Starts to list and watch. Ends with `signal` or `close()`. */
  informer<T extends KubeObject>(
    def: ResourceDef<T>,
    options: InformerOptions<T> & { readonly signal?: AbortSignal },
  ): Informer<T>
  /**
   * Watches one object until `done` says so and returns what `done` returned. `done` gets undefined while the object is
   * absent; what it throws ends the wait.
   */
  waitFor<T extends KubeObject, R>(
    def: ResourceDef<T>,
    key: ObjectKey,
    done: (object: Live<T> | undefined) => R | undefined,
    options: WaitForOptions,
  ): Promise<R>
  /**
   * The collection of a kind, or of a plural resource name, by asking the server. KUBE_NOT_FOUND when it serves none. Cached until
   * it was not found.
   */
  discover(
    apiVersion: string,
    kind: string,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<ResourceName & { readonly namespaced: boolean; readonly kind: string }>
  readonly exec: KubeExec
  readonly pods: Pods
  readonly workloads: Workloads
  readonly leases: Leases
  /** Events reported as of `component`. */
  eventSink(component: string): EventSink
  /**
   * The same with more patience, for what must live through an API server that is away for some minutes: ten minutes for each call, and
   * creates of named objects are repeated though the answer to an earlier one was lost. Refusals come as fast as ever.
   */
  readonly patient: Kube
  close(): Promise<void>
}
