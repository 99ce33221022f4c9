/** The metadata of an object as an API server returns it. Times are RFC 3339 text. */
export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string
  readonly uid: string
  readonly resourceVersion: string
  readonly generation?: number
  readonly generateName?: string
  readonly creationTimestamp: string
  readonly deletionTimestamp?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly finalizers?: readonly string[]
  readonly ownerReferences?: readonly OwnerReference[]
}

export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
  readonly blockOwnerDeletion?: boolean
}

/** The least an object has on its way to the server. Any object type with these fields fits. */
export interface KubeObject {
  readonly apiVersion?: string | undefined
  readonly kind?: string | undefined
  readonly metadata?:
    | {
        readonly name?: string | undefined
        readonly namespace?: string | undefined
        readonly resourceVersion?: string | undefined
        readonly uid?: string | undefined
      }
    | undefined
}

/** An object that came from the server: its metadata is filled in. */
export type Live<T> = T & { readonly apiVersion?: string; readonly kind?: string; readonly metadata: ObjectMeta }

/** An object of a kind we have no type for. */
export interface Unstructured extends KubeObject {
  readonly metadata?: Readonly<Partial<ObjectMeta>>
  readonly [field: string]: unknown
}

/**
 * A type of @kubernetes/client-node as it looks on the wire: that library turns times into `Date` and renames fields
 * that are reserved words (`_continue`); we hand around the JSON as it is.
 */
export type Wire<T> = T extends Date
  ? string
  : T extends (infer Item)[]
    ? Wire<Item>[]
    : T extends object
      ? { [Key in keyof T as Key extends `_${infer Plain}` ? Plain : Key]: Wire<T[Key]> }
      : T

/** Which collection of the API: `resource` is the plural name. `group` is '' for core. */
export interface ResourceName {
  readonly group: string
  readonly version: string
  readonly resource: string
}

/** A collection with the type of its objects. `T` exists for the compiler only. */
export interface ResourceDef<T extends KubeObject = Unstructured> extends ResourceName {
  /** Set on objects that lack it when they are created. */
  readonly kind?: string
  /** @default true */
  readonly namespaced?: boolean
  readonly objectType?: T
}

export function defineResource<T extends KubeObject = Unstructured>(def: ResourceDef<T>): ResourceDef<T> {
  return def
}

/** Where one object is. Without a namespace: cluster scope. */
export interface ObjectKey {
  readonly namespace?: string | undefined
  readonly name: string
}

/** `namespace/name`, or `name` in cluster scope: the key of caches and work queues. */
export function keyOf(object: {
  readonly metadata?: { readonly namespace?: string | undefined; readonly name?: string | undefined } | undefined
}): string {
  const { namespace, name } = object.metadata ?? {}
  return namespace ? `${namespace}/${name}` : String(name)
}

export function parseKey(key: string): ObjectKey {
  const slash = key.indexOf('/')
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

/** `apps/v1`, or `v1` for the core group. */
export function apiVersionOf({ group, version }: Pick<ResourceName, 'group' | 'version'>): string {
  return group ? `${group}/${version}` : version
}

/**
 * The collection that Kanister's ObjectReference names: `apiVersion` holds the version only, `group` may end in a slash
 * (both occur in ActionSets in the wild); an `apiVersion` of the form `group/version` is taken apart too.
 */
export function resourceOfReference(ref: {
  readonly apiVersion?: string | undefined
  readonly group?: string | undefined
  readonly resource?: string | undefined
}): ResourceName {
  const [first = '', second] = (ref.apiVersion ?? '').split('/')
  const group = (ref.group ?? '').replace(/\/+$/, '') || (second === undefined ? '' : first)
  return { group, version: second ?? first, resource: ref.resource ?? '' }
}

/** `statefulsets.apps "x"` as API errors name objects. */
export function describeObject(resource: ResourceName, name?: string): string {
  const plural = resource.group ? `${resource.resource}.${resource.group}` : resource.resource
  return name === undefined ? plural : `${plural} "${name}"`
}

/** The path of a collection or an object below the server's root. Segments are escaped. */
export function pathOf(
  resource: ResourceName,
  where: { namespace?: string | undefined; name?: string | undefined; subresource?: string | undefined } = {},
): string {
  const parts = resource.group ? ['apis', resource.group, resource.version] : ['api', resource.version]
  if (where.namespace) parts.push('namespaces', where.namespace)
  parts.push(resource.resource)
  if (where.name !== undefined) parts.push(where.name)
  if (where.subresource) parts.push(where.subresource)
  return `/${parts.map(encodeURIComponent).join('/')}`
}
