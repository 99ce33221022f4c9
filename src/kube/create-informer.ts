import type { Clock } from '../base/clock.ts'
import type { KubeClient } from './client.ts'
import type { ChangeHandler, Informer, InformerOptions } from './informer.ts'
import { keyOf, type KubeObject, type Live, type ResourceDef } from './objects.ts'
import { reflect, type ReflectSink } from './reflect.ts'

export function createInformer<T extends KubeObject>(
  client: KubeClient,
  def: ResourceDef<T>,
  options: InformerOptions<T> & { readonly signal?: AbortSignal },
  clock: Clock,
): Informer<T> {
  return new ReflectedCache(client, def, options, clock)
}

class ReflectedCache<T extends KubeObject> implements Informer<T>, ReflectSink<T> {
  readonly def: ResourceDef<T>
  readonly #objects = new Map<string, Live<T>>()
  readonly #handlers = new Set<ChangeHandler<T>>()
  readonly #options: InformerOptions<T>
  readonly #synced = Promise.withResolvers<void>()
  readonly #own = new AbortController()
  readonly #done: Promise<void>
  hasSynced = false

  constructor(
    client: KubeClient,
    def: ResourceDef<T>,
    options: InformerOptions<T> & { readonly signal?: AbortSignal },
    clock: Clock,
  ) {
    this.def = def
    this.#options = options
    this.#synced.promise.catch(() => undefined)
    const signal = options.signal ? AbortSignal.any([options.signal, this.#own.signal]) : this.#own.signal
    const { namespace, labelSelector, fieldSelector } = options
    this.#done = reflect(client, def, { namespace, labelSelector, fieldSelector }, this, { signal, clock }).catch(
      (error: unknown) => {
        this.#synced.reject(error) // ended by its signal; `onError` here throws nothing
      },
    )
  }

  get synced(): Promise<void> {
    return this.#synced.promise
  }

  get size(): number {
    return this.#objects.size
  }

  get(namespace: string | undefined, name: string): Live<T> | undefined {
    return this.#objects.get(namespace ? `${namespace}/${name}` : name)
  }

  getByKey(key: string): Live<T> | undefined {
    return this.#objects.get(key)
  }

  list(namespace?: string): readonly Live<T>[] {
    const all = [...this.#objects.values()]
    return namespace === undefined ? all : all.filter((object) => object.metadata.namespace === namespace)
  }

  onChange(handler: ChangeHandler<T>): () => void {
    this.#handlers.add(handler)
    for (const [key, object] of this.#objects) this.#call(handler, key, object, undefined)
    return () => this.#handlers.delete(handler)
  }

  async close(): Promise<void> {
    this.#own.abort(new Error('the informer was closed'))
    await this.#done
  }

  replace(objects: readonly Live<T>[]): void {
    const gone = new Set(this.#objects.keys())
    for (const object of objects) {
      gone.delete(keyOf(object))
      this.set(object)
    }
    for (const key of gone) this.#put(key, undefined)
    this.hasSynced = true
    this.#synced.resolve()
  }

  set(object: Live<T>): void {
    const key = keyOf(object)
    if (this.#objects.get(key)?.metadata.resourceVersion === object.metadata.resourceVersion) return
    this.#put(key, object)
  }

  remove(object: Live<T>): void {
    this.#put(keyOf(object), undefined)
  }

  onError(error: unknown): void {
    try {
      this.#options.onError?.(error)
    } catch {
      // A reporter that fails has nobody to report to.
    }
  }

  #put(key: string, object: Live<T> | undefined): void {
    const before = this.#objects.get(key)
    const kept = object && this.#keep(object)
    if (kept) this.#objects.set(key, kept)
    else this.#objects.delete(key)
    if (kept ?? before) for (const handler of this.#handlers) this.#call(handler, key, kept, before)
  }

  #keep(object: Live<T>): Live<T> {
    delete (object.metadata as { managedFields?: unknown }).managedFields
    return deepFreeze(this.#project(object))
  }

  /** An object that cannot be projected is kept whole: it must take neither itself nor the list that it is in out of sight. */
  #project(object: Live<T>): Live<T> {
    try {
      return this.#options.project?.(object) ?? object
    } catch (error) {
      this.onError(error)
      return object
    }
  }

  #call(handler: ChangeHandler<T>, key: string, object: Live<T> | undefined, before: Live<T> | undefined): void {
    try {
      handler(key, object, before)
    } catch (error) {
      this.onError(error)
    }
  }
}

function deepFreeze<V>(value: V): V {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const inner of Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}
