import type { KubeObject, Live, ResourceDef } from './objects.ts'

export interface InformerOptions<T extends KubeObject> {
  /** @default all namespaces */
  readonly namespace?: string | undefined
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** What to keep of each object, to bound memory; `metadata` must stay. managedFields are always dropped. */
  readonly project?: (object: Live<T>) => Live<T>
  /** Called with what went wrong (already being repaired). */
  readonly onError?: (error: unknown) => void
}

/** Level-based: a change says which object to look at, not what happened. `object` is undefined when it is gone. */
export type ChangeHandler<T> = (key: string, object: Live<T> | undefined, before: Live<T> | undefined) => void

/**
 * Lists and watches one collection and keeps it in memory, for as long as its signal lives. Any failure is repaired by
 * watching again or listing again; events may be repeated or merged, never lost for good. Objects are frozen.
 */
export interface Informer<T extends KubeObject> {
  readonly def: ResourceDef<T>
  /** Resolves after the first complete list. Rejects only when the signal is aborted before. */
  readonly synced: Promise<void>
  readonly hasSynced: boolean
  get(namespace: string | undefined, name: string): Live<T> | undefined
  getByKey(key: string): Live<T> | undefined
  list(namespace?: string): readonly Live<T>[]
  readonly size: number
  /** Objects already there are announced too. A handler that throws is reported to `onError` and harms nobody. Returns the way to unsubscribe. */
  onChange(handler: ChangeHandler<T>): () => void
  /** Ends the watch. `closed` resolves when it has. */
  close(): Promise<void>
}
