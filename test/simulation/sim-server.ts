import { isDeepStrictEqual } from 'node:util'
import type { KubeRequest } from '../../src/kube/client.ts'
import { kubeError } from '../../src/kube/errors.ts'
import { keyOf, type KubeObject, type Live, type ResourceDef, type ResourceName } from '../../src/kube/objects.ts'
import type { SimProcess } from './virtual-time.ts'

export type Stored = Live<KubeObject> & Record<string, unknown>

/** A write that was carried out: what a watch tells, and what the checks look at. */
export interface Write {
  readonly collection: string
  readonly key: string
  readonly before: Stored | undefined
  readonly after: Stored | undefined
  /** Undefined: a user. */
  readonly by: SimProcess | undefined
  readonly version: number
}

interface Collection {
  readonly objects: Map<string, Stored>
  readonly writes: Write[]
}

interface Place {
  readonly collection: string
  readonly namespace: string
  readonly name: string
}

/**
 * What an API server and its etcd hold: objects with one rising version, JSON Patch with `test`, a history for watches. A
 * request is carried out whole, at one moment; being late, lost or repeated is the network's business.
 */
export class SimServer {
  version = 100
  /** Every write, in order, before anybody hears of it. */
  onWrite: (write: Write) => void = () => undefined
  /** Those who watch. */
  readonly watches = new Set<{ tell(write: Write): void }>()
  readonly #now: () => number
  readonly #collections = new Map<string, Collection>()
  readonly #texts = new WeakMap<object, string>()
  #uids = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /** Carries a request out and gives the answer as JSON. */
  carryOut(request: KubeRequest, by: SimProcess): string {
    const place = placeOf(request.path)
    switch (request.method) {
      case 'GET':
        return place.name === '' ? this.#list(place, request) : this.textOf(this.#get(place))
      case 'POST':
        return this.textOf(this.#create(place, request.body as KubeObject, by))
      case 'PUT':
        return this.textOf(this.#replace(place, request.body as KubeObject, by))
      case 'PATCH':
        return this.textOf(this.#patch(place, request, by))
      case 'DELETE':
        return this.#delete(place, request.body, by)
    }
  }

  /** As a user does. */
  put<T extends KubeObject>(def: ResourceDef<T>, object: T): Live<T> {
    const collection = collectionOf(def)
    const key = keyOf(object)
    const before = this.#of(collection).objects.get(key)
    return this.#store(collection, this.#complete(object, before), undefined) as unknown as Live<T>
  }

  remove(def: ResourceName, key: string): void {
    this.#remove(collectionOf(def), key, undefined)
  }

  read<T extends KubeObject>(def: ResourceDef<T>, key: string): Live<T> | undefined {
    return this.#of(collectionOf(def)).objects.get(key) as unknown as Live<T> | undefined
  }

  all<T extends KubeObject>(def: ResourceDef<T>): Live<T>[] {
    return [...this.#of(collectionOf(def)).objects.values()] as unknown as Live<T>[]
  }

  writesSince(collection: string, version: number): Write[] {
    const { writes } = this.#of(collection)
    let at = writes.length
    while (at > 0 && (writes[at - 1] as Write).version > version) at--
    return writes.slice(at)
  }

  textOf(object: object): string {
    let text = this.#texts.get(object)
    if (text === undefined) this.#texts.set(object, (text = JSON.stringify(object)))
    return text
  }

  #of(collection: string): Collection {
    let found = this.#collections.get(collection)
    if (!found) this.#collections.set(collection, (found = { objects: new Map(), writes: [] }))
    return found
  }

  #get({ collection, namespace, name }: Place): Stored {
    const found = this.#of(collection).objects.get(namespace ? `${namespace}/${name}` : name)
    if (found) return found
    throw kubeError('KUBE_NOT_FOUND', `${collection} "${name}" not found`)
  }

  #list({ collection, namespace }: Place, { query }: KubeRequest): string {
    const selector = query?.['labelSelector'] as string | undefined
    const items = [...this.#of(collection).objects.values()].filter((object) => isSelected(object, namespace, selector))
    const texts = items.map((item) => this.textOf(item))
    return `{"metadata":{"resourceVersion":"${this.version}"},"items":[${texts.join(',')}]}`
  }

  #create(place: Place, object: KubeObject, by: SimProcess): Stored {
    if (this.#of(place.collection).objects.has(keyOf(object)))
      throw kubeError('KUBE_ALREADY_EXISTS', `${keyOf(object)} already exists`)
    return this.#store(place.collection, this.#complete(object, undefined), by)
  }

  #replace(place: Place, object: KubeObject, by: SimProcess): Stored {
    const there = this.#get(place)
    const version = object.metadata?.resourceVersion
    if (version && version !== there.metadata.resourceVersion) throw kubeError('KUBE_CONFLICT', 'the object has been modified')
    return this.#store(place.collection, this.#complete(object, there), by)
  }

  #patch(place: Place, { body, contentType }: KubeRequest, by: SimProcess): Stored {
    const there = this.#get(place)
    const copy = JSON.parse(JSON.stringify(body)) as unknown
    const changed = contentType?.includes('json-patch') ? jsonPatch(there, copy as Operation[]) : mergePatch(there, copy)
    if (isDeepStrictEqual(changed, there)) return there
    return this.#store(place.collection, changed as Stored, by)
  }

  #delete(place: Place, body: unknown, by: SimProcess): string {
    const there = this.#get(place)
    const { uid, resourceVersion } =
      (body as { preconditions?: { uid?: string; resourceVersion?: string } }).preconditions ?? {}
    const other = (uid && uid !== there.metadata.uid) || (resourceVersion && resourceVersion !== there.metadata.resourceVersion)
    if (other) throw kubeError('KUBE_CONFLICT', 'the precondition does not hold')
    this.#remove(place.collection, keyOf(there), by)
    return '{}'
  }

  #complete(object: KubeObject, there: Stored | undefined): Stored {
    const copy = JSON.parse(JSON.stringify(object)) as Stored
    const uid = there?.metadata.uid ?? `uid-${++this.#uids}`
    const creationTimestamp = there?.metadata.creationTimestamp ?? new Date(this.#now()).toISOString().replace(/\.\d+Z/, 'Z')
    return { ...copy, metadata: { ...copy.metadata, creationTimestamp, uid } }
  }

  #store(collection: string, object: Stored, by: SimProcess | undefined): Stored {
    const { objects } = this.#of(collection)
    const after = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.version) } }
    const key = keyOf(after)
    const before = objects.get(key)
    objects.set(key, after)
    this.#tell({ collection, key, before, after, by, version: this.version })
    return after
  }

  #remove(collection: string, key: string, by: SimProcess | undefined): void {
    const { objects } = this.#of(collection)
    const before = objects.get(key)
    if (!objects.delete(key)) return
    this.#tell({ collection, key, before, after: undefined, by, version: ++this.version })
  }

  #tell(write: Write): void {
    this.#of(write.collection).writes.push(write)
    this.onWrite(write)
    for (const watch of this.watches) watch.tell(write)
  }
}

export function collectionOf(def: ResourceName): string {
  return `${def.group}/${def.resource}`
}

export function placeOf(path: string): Place {
  const [root = '', ...rest] = path.slice(1).split('/')
  const group = root === 'apis' ? (rest.shift() ?? '') : ''
  rest.shift()
  const namespace = rest[0] === 'namespaces' && rest.length > 2 ? (rest.splice(0, 2)[1] ?? '') : ''
  const [resource = '', name = ''] = rest
  return { collection: `${group}/${resource}`, namespace, name }
}

export function isSelected(object: Stored, namespace: string, selector: string | undefined): boolean {
  if (namespace !== '' && object.metadata.namespace !== namespace) return false
  if (!selector) return true
  return selector.split(',').every((term) => {
    const [name = '', value = ''] = term.split('=')
    return object.metadata.labels?.[name] === value
  })
}

interface Operation {
  readonly op: 'test' | 'add' | 'replace' | 'remove'
  readonly path: string
  readonly value?: unknown
}

type Tree = Readonly<Record<string, unknown>>

/** RFC 6902 on maps, and within lists, as far as the engine uses it, sharing what does not change. */
function jsonPatch(root: unknown, operations: readonly Operation[]): unknown {
  return operations.reduce((at, operation) => {
    const parts = operation.path
      .split('/')
      .slice(1)
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    return applyAt(at, parts, operation)
  }, root)
}

function applyAt(at: unknown, [first = '', ...rest]: readonly string[], operation: Operation): unknown {
  if (typeof at !== 'object' || at === null) throw refused(operation)
  const tree = at as Tree
  if (rest.length > 0) {
    const inner = applyAt(tree[first], rest, operation)
    if (inner === tree[first]) return tree
    return Array.isArray(at) ? at.with(Number(first), inner) : { ...tree, [first]: inner }
  }
  if (operation.op !== 'add' && !(first in tree)) throw refused(operation)
  if (operation.op === 'test') {
    if (!isDeepStrictEqual(tree[first], operation.value)) throw refused(operation)
    return tree
  }
  if (operation.op !== 'remove') return { ...tree, [first]: operation.value }
  const { [first]: _gone, ...others } = tree
  return others
}

function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const out: Record<string, unknown> = typeof target === 'object' && target !== null ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key]
    else out[key] = mergePatch(out[key], value)
  }
  return out
}

function refused({ op, path }: Operation): Error {
  return kubeError('KUBE_INVALID', `the server rejected our request due to an error in our request (${op} ${path})`)
}
