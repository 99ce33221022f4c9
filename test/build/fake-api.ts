import { randomUUID } from 'node:crypto'
import { orAborted } from '../../src/base/or-aborted.ts'
import { kubeError } from '../../src/kube/errors.ts'
import type { EventNote, EventSink, EventSubject } from '../../src/kube/events.ts'
import type { ChangeHandler, Informer, InformerOptions } from '../../src/kube/informer.ts'
import type { Kube } from '../../src/kube/kube.ts'
import type { HeldLease } from '../../src/kube/lease.ts'
import {
  describeObject,
  keyOf,
  type KubeObject,
  type Live,
  type ObjectKey,
  type ResourceDef,
  type ResourceName,
} from '../../src/kube/objects.ts'
import type { ListOptions, PatchOptions, ResourceApi } from '../../src/kube/resource-api.ts'
import type { WorkloadFacts } from '../../src/kube/workloads.ts'
import { applyJsonPatch, applyMergePatch, type PatchOperation } from './json-patch.ts'

/** A request as the fake server sees it, for counting and for faults. */
export interface FakeRequest {
  readonly verb: 'get' | 'list' | 'create' | 'replace' | 'patch' | 'delete'
  readonly resource: string
  readonly name: string
  readonly patch?: readonly PatchOperation[]
  readonly process: FakeProcess
}

type Stored = Live<KubeObject> & Record<string, unknown>

/** A watch, and whose it is. */
export interface FakeWatch {
  readonly resource: string
  readonly process: FakeProcess
}

/** A process that talks to the server. Once dead it never gets an answer again, as after SIGKILL. */
export interface FakeProcess {
  dead?: boolean
}

/**
 * An API server in memory: objects with resourceVersions, JSON Patch with `test`, watches. Enough for the engine, the operator
 * and their faults; everything else of a server is tested on a real one.
 */
export class FakeApi {
  readonly requests: FakeRequest[] = []
  readonly events: (EventSubject & EventNote)[] = []
  /** Called before each request is carried out; what it throws is the answer. */
  before: (request: FakeRequest) => void | Promise<void> = () => undefined
  /** Called after a request was carried out; what it throws is a lost answer. */
  after: (request: FakeRequest) => void | Promise<void> = () => undefined
  /** Called before a Lease of the namespace is had. */
  beforeLease: (namespace: string) => void | Promise<void> = () => undefined
  /** The size from which on an object is refused, as JSON. */
  maxBytes = Infinity
  /**
   * What becomes of an event of a watch: what was dropped is seen at the next list, some time later; what was lost never, as of a
   * watch that fell silent.
   */
  watchFault: (watch: FakeWatch) => 'drop' | 'twice' | 'lose' | undefined = () => undefined
  readonly #objects = new Map<string, Map<string, Stored>>()
  readonly #watchers = new Set<FakeInformer<KubeObject>>()
  #version = 100

  /** A client of its own. */
  kube(process: FakeProcess = {}): Kube {
    const api: Pick<Kube, 'resource' | 'informer' | 'leases' | 'eventSink' | 'workloads' | 'patient' | 'close'> = {
      get patient() {
        return api as unknown as Kube
      },
      resource: (def) => this.#resource(def as ResourceName, process) as never,
      informer: (def, options) =>
        this.#informer(def as ResourceName, options as unknown as InformerOptions<KubeObject>, process) as never,
      leases: {
        tryAcquire: async () => heldLease(),
        acquire: async ({ namespace }, { signal }) => {
          await orAborted(Promise.resolve(this.beforeLease(namespace)), signal)
          return heldLease()
        },
      },
      eventSink: () => this.#sink(process),
      workloads: {
        describe: async (ref) => this.#describe(ref),
        podsOf: async () => [],
        scale: async () => {
          throw new Error('the fake cannot scale')
        },
      },
      close: async () => undefined,
    }
    // The rest of Kube is not asked by what is tested against this.
    return api as unknown as Kube
  }

  /** Puts an object there as a user would, without a request being counted. */
  put<T extends KubeObject>(def: ResourceDef<T>, object: T): Live<T> {
    return this.#store(def, this.#complete(object)) as unknown as Live<T>
  }

  read<T extends KubeObject>(def: ResourceDef<T>, namespace: string, name: string): Live<T> | undefined {
    return this.#collection(def).get(`${namespace}/${name}`) as Live<T> | undefined
  }

  all<T extends KubeObject>(def: ResourceDef<T>): Live<T>[] {
    return [...this.#collection(def).values()] as unknown as Live<T>[]
  }

  /** `namespace` is empty for objects of the cluster. */
  remove(def: ResourceName, namespace: string, name: string): void {
    const key = namespace === '' ? name : `${namespace}/${name}`
    const gone = this.#collection(def).get(key)
    this.#collection(def).delete(key)
    if (gone) this.#announce(def, key, undefined, gone)
  }

  writes(resource: string): number {
    return this.requests.filter((request) => request.resource === resource && !['get', 'list'].includes(request.verb)).length
  }

  async #request<T>(request: FakeRequest, work: () => T): Promise<T> {
    if (request.process.dead) return await never()
    this.requests.push(request)
    await this.before(request)
    if (request.process.dead) return await never()
    const answer = work()
    await this.after(request)
    if (request.process.dead) return await never()
    return answer
  }

  #collection({ group, resource }: ResourceName): Map<string, Stored> {
    const name = `${group}/${resource}`
    let found = this.#objects.get(name)
    if (!found) this.#objects.set(name, (found = new Map()))
    return found
  }

  #complete(object: KubeObject): Stored {
    const copy = structuredClone(object) as Stored
    const defaults: object = { uid: randomUUID(), creationTimestamp: new Date().toISOString() }
    const metadata = { ...defaults, ...copy.metadata, resourceVersion: '' }
    return { ...copy, ...dataOf(copy), metadata } as Stored
  }

  #store(def: ResourceName, object: Stored): Stored {
    const key = keyOf(object)
    const generation = generationOf(object, this.#collection(def).get(key))
    const metadata = { ...object.metadata, ...generation, resourceVersion: String(++this.#version) }
    const stored = deepFreeze({ ...object, metadata }) as Stored
    if (this.maxBytes < Infinity && JSON.stringify(stored).length > this.maxBytes)
      throw kubeError('KUBE_TOO_LARGE', `${describeObject(def, key)} is larger than the API server stores`)
    const before = this.#collection(def).get(key)
    this.#collection(def).set(key, stored)
    this.#announce(def, key, stored, before)
    return stored
  }

  #announce(def: ResourceName, key: string, object: Stored | undefined, before: Stored | undefined): void {
    for (const watcher of this.#watchers) {
      const fault = this.watchFault({ resource: watcher.def.resource, process: watcher.process })
      if (fault === 'lose') continue
      if (fault !== 'drop') watcher.changed(def, key, object, before)
      if (fault === 'twice') watcher.changed(def, key, object, before)
      if (fault === 'drop') setTimeout(() => watcher.changed(def, key, this.#collection(def).get(key), before), 100)
    }
  }

  #get(def: ResourceName, key: ObjectKey): Stored {
    const found = this.#collection(def).get(key.namespace ? `${key.namespace}/${key.name}` : key.name)
    if (found) return found
    throw kubeError('KUBE_NOT_FOUND', `${describeObject(def, key.name)} not found`)
  }

  #resource(def: ResourceName, process: FakeProcess): ResourceApi<KubeObject> {
    const request = (verb: FakeRequest['verb'], name: string, patch?: readonly PatchOperation[]): FakeRequest => ({
      verb,
      resource: def.resource,
      name,
      process,
      ...(patch ? { patch } : {}),
    })
    const list = (options: ListOptions = {}) =>
      this.#request(request('list', ''), () => ({
        items: [...this.#collection(def).values()].filter((object) => selected(object, options)),
        resourceVersion: String(this.#version),
      }))
    type Known = 'def' | 'get' | 'find' | 'list' | 'pages' | 'create' | 'replace' | 'patch' | 'delete'
    const api: Pick<ResourceApi<KubeObject>, Known> = {
      def,
      get: (key) => this.#request(request('get', key.name), () => this.#get(def, key)),
      find: (key) =>
        this.#request(request('get', key.name), () => {
          try {
            return this.#get(def, key)
          } catch {
            return undefined
          }
        }),
      list,
      pages: async function* (options) {
        yield await list(options)
      },
      create: async (object, { beforeTry } = {}) => {
        await beforeTry?.()
        return await this.#request(request('create', object.metadata?.name ?? ''), () => {
          if (this.#collection(def).has(keyOf(object)))
            throw kubeError('KUBE_ALREADY_EXISTS', `${keyOf(object)} already exists`)
          return this.#store(def, this.#complete(object))
        })
      },
      replace: (object) =>
        this.#request(request('replace', object.metadata?.name ?? ''), () => this.#replace(def, object as Stored)),
      patch: (key, patch, options: PatchOptions = {}) =>
        this.#request(request('patch', key.name, options.type === 'json' ? (patch as PatchOperation[]) : undefined), () => {
          const old = this.#get(def, key)
          const changed = options.type === 'json' ? applyJsonPatch(old, patch as PatchOperation[]) : applyMergePatch(old, patch)
          if ((changed as Stored).metadata.resourceVersion !== old.metadata.resourceVersion)
            throw kubeError('KUBE_CONFLICT', `${key.name} was changed by someone else`)
          return this.#store(def, changed as Stored)
        }),
      delete: (key) => this.#request(request('delete', key.name), () => this.remove(def, key.namespace ?? '', key.name)),
    }
    return api as unknown as ResourceApi<KubeObject>
  }

  #replace(def: ResourceName, object: Stored): Stored {
    const { name, namespace, resourceVersion } = object.metadata
    const stored = this.#get(def, { name, namespace })
    if (resourceVersion && resourceVersion !== stored.metadata.resourceVersion) {
      throw kubeError('KUBE_CONFLICT', `${name} was changed by someone else`)
    }
    return this.#store(def, object)
  }

  #informer(
    def: ResourceName,
    options: InformerOptions<KubeObject> & { readonly signal?: AbortSignal },
    process: FakeProcess,
  ): Informer<KubeObject> {
    const informer: FakeInformer<KubeObject> = new FakeInformer(
      def as ResourceDef<KubeObject>,
      options,
      [...this.#collection(def).values()],
      process,
      () => this.#watchers.delete(informer),
    )
    this.#watchers.add(informer)
    options.signal?.addEventListener('abort', () => void informer.close())
    return informer
  }

  #sink(process: FakeProcess): EventSink {
    return {
      send: (subject, note) => void (process.dead || this.events.push({ ...subject, ...note })),
      flush: async () => undefined,
      dropped: 0,
    }
  }

  #describe(ref: { readonly kind: string; readonly namespace: string; readonly name: string }): WorkloadFacts {
    const object = this.#get({ group: 'apps', version: 'v1', resource: `${ref.kind.toLowerCase()}s` }, ref)
    return {
      kind: 'statefulset',
      namespace: ref.namespace,
      name: ref.name,
      object,
      pods: [`${ref.name}-0`],
      containers: [['main']],
      persistentVolumeClaims: {},
    } as WorkloadFacts
  }
}

class FakeInformer<T extends KubeObject> implements Informer<T> {
  readonly def: ResourceDef<T>
  readonly synced: Promise<void>
  hasSynced = false
  readonly #options: InformerOptions<T>
  readonly #handlers = new Set<ChangeHandler<T>>()
  readonly #items = new Map<string, Live<T>>()
  readonly #onClose: () => void
  readonly process: FakeProcess
  #closed = false

  constructor(
    def: ResourceDef<T>,
    options: InformerOptions<T>,
    initial: readonly Stored[],
    process: FakeProcess,
    onClose: () => void,
  ) {
    this.def = def
    this.process = process
    this.#options = options
    this.#onClose = onClose
    for (const object of initial) this.changed(def, keyOf(object), object, undefined)
    this.synced = new Promise((resolve) => setImmediate(resolve)).then(() => {
      this.hasSynced = true
    })
  }

  get size(): number {
    return this.#items.size
  }

  get(namespace: string | undefined, name: string): Live<T> | undefined {
    return this.getByKey(namespace ? `${namespace}/${name}` : name)
  }

  getByKey(key: string): Live<T> | undefined {
    return this.#items.get(key)
  }

  list(): readonly Live<T>[] {
    return [...this.#items.values()]
  }

  onChange(handler: ChangeHandler<T>): () => void {
    this.#handlers.add(handler)
    setImmediate(() => {
      for (const [key, object] of this.#items) handler(key, object, undefined)
    })
    return () => this.#handlers.delete(handler)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#onClose()
  }

  changed(def: ResourceName, key: string, stored: Stored | undefined, storedBefore: Stored | undefined): void {
    if (def.resource !== this.def.resource || def.group !== this.def.group) return
    // A watch is always a little late.
    setImmediate(() => {
      if (this.#closed || this.process.dead) return
      const before = this.#items.get(key)
      const matches = stored && selected(stored, this.#options)
      if (!matches && !before) return
      const object = matches ? ((this.#options.project?.(stored as unknown as Live<T>) ?? stored) as Live<T>) : undefined
      if (object) this.#items.set(key, object)
      else this.#items.delete(key)
      for (const handler of this.#handlers) handler(key, object, before ?? (storedBefore as unknown as Live<T>))
    })
  }
}

/** A Secret's `stringData` becomes `data`, as on a server. */
function dataOf({ stringData, data }: Record<string, unknown>): object {
  const texts = Object.entries((stringData ?? {}) as Record<string, string>)
  if (texts.length === 0) return {}
  return {
    stringData: undefined,
    data: { ...(data as object), ...Object.fromEntries(texts.map(([key, text]) => [key, btoa(text)])) },
  }
}

function selected(
  object: KubeObject,
  { namespace, labelSelector }: { readonly namespace?: string | undefined; readonly labelSelector?: string | undefined },
): boolean {
  if (namespace !== undefined && object.metadata?.namespace !== namespace) return false
  if (!labelSelector) return true
  const labels = (object.metadata as { labels?: Record<string, string> }).labels ?? {}
  return labelSelector.split(',').every((term) => {
    if (term.startsWith('!')) return labels[term.slice(1)] === undefined
    const [name = '', value] = term.split('=')
    return value === undefined ? labels[name] !== undefined : labels[name] === value
  })
}

function heldLease(): HeldLease {
  return { signal: new AbortController().signal, fence: 1, release: async () => undefined }
}

async function never(): Promise<never> {
  return await new Promise(() => undefined)
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const inner of Object.values(value)) deepFreeze(inner)
  }
  return value
}

/** Of objects that have one: as of a kind without a status subresource, whose status counts like its spec. */
function generationOf(object: Stored, before: Stored | undefined): { readonly generation?: number } {
  const { generation } = object.metadata
  if (generation === undefined || !before || generation !== before.metadata.generation) return {}
  const content = ({ metadata: _metadata, ...rest }: Stored): string => JSON.stringify(rest)
  return content(object) === content(before) ? {} : { generation: generation + 1 }
}
