import type { CallOptions } from './client.ts'
import type { KubeObject, Live, ObjectKey, ResourceDef } from './objects.ts'

export interface ListOptions extends CallOptions {
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  /** Objects per page. The pages are fetched one after the other. @default 500 */
  readonly pageSize?: number
  /** Serve from the API server's cache (resourceVersion=0); cheaper, may be a little old, not paginated. @default false */
  readonly cached?: boolean
}

export interface WriteOptions extends CallOptions {
  /** `status`, `scale`, … @default the object itself */
  readonly subresource?: string
  readonly fieldManager?: string
  readonly dryRun?: boolean
  /** Refuse unknown and repeated fields instead of dropping them. @default false */
  readonly strict?: boolean
}

/** `apply` is server-side apply: needs `fieldManager`; `force` takes fields over from other managers. */
export type PatchType = 'merge' | 'json' | 'strategic' | 'apply'

export interface PatchOptions extends WriteOptions {
  /** @default 'merge' */
  readonly type?: PatchType
  readonly force?: boolean
}

export interface DeleteOptions extends CallOptions {
  /** Delete only the object with this uid (KUBE_CONFLICT otherwise). */
  readonly uid?: string
  readonly resourceVersion?: string
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan'
  readonly gracePeriodSeconds?: number
  /** Absence is success. @default true */
  readonly ignoreNotFound?: boolean
}

export interface ObjectList<T> {
  readonly items: readonly Live<T>[]
  /** From where a watch goes on. */
  readonly resourceVersion: string
}

/**
 * One collection of the API. An object's namespace is taken from its metadata.
 *
 * A write that was repeated after a lost answer can find its own first try: `replace` and `patch` with a
 * resourceVersion then give KUBE_CONFLICT, `create` KUBE_ALREADY_EXISTS. Read and compare before concluding that
 * someone else wrote.
 */
export interface ResourceApi<T extends KubeObject> {
  readonly def: ResourceDef<T>
  /** Throws KUBE_NOT_FOUND. */
  get(key: ObjectKey, options?: CallOptions & { readonly subresource?: string }): Promise<Live<T>>
  /** Absent: undefined. */
  find(key: ObjectKey, options?: CallOptions): Promise<Live<T> | undefined>
  /** All objects, fetched page by page. For large collections use `pages`. */
  list(options?: ListOptions): Promise<ObjectList<T>>
  /** The same as pages; only one is in memory at a time. */
  pages(options?: ListOptions): AsyncIterable<ObjectList<T>>
  create(object: T, options?: WriteOptions): Promise<Live<T>>
  /** PUT of the whole object; with `metadata.resourceVersion` set it is refused (KUBE_CONFLICT) if the object changed. */
  replace(object: T, options?: WriteOptions): Promise<Live<T>>
  patch(key: ObjectKey, patch: unknown, options?: PatchOptions): Promise<Live<T>>
  /** Resolves when the server took the request; the object may live on until its finalizers ran (`waitGone`). */
  delete(key: ObjectKey, options?: DeleteOptions): Promise<void>
  /**
   * Get, change, replace; repeated on KUBE_CONFLICT. `change` gets a copy it may alter and returns the object to write,
   * or undefined to leave it as it is.
   */
  update(key: ObjectKey, change: (object: Live<T>) => T | undefined, options?: WriteOptions): Promise<Live<T>>
}
