import { backoffMs } from '../base/backoff.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import type { KubeClient, QueryValue } from './client.ts'
import { kubeError } from './errors.ts'
import {
  apiVersionOf,
  describeObject,
  type KubeObject,
  type Live,
  type ObjectKey,
  pathOf,
  type ResourceDef,
  type ResourceName,
} from './objects.ts'
import type { ListOptions, ObjectList, PatchType, ResourceApi, WriteOptions } from './resource-api.ts'

const patchTypes: Readonly<Record<PatchType, string>> = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
}

/** Tries of `update` against other writers: some seconds in all. */
export const updateTries = 20

/** Before the next of these tries. */
export const updateBackoff = { firstMs: 10, maxMs: 1_000 }

export function createResourceApi<T extends KubeObject>(
  client: KubeClient,
  def: ResourceDef<T>,
  clock: Clock = systemClock,
): ResourceApi<T> {
  const objectPath = (key: ObjectKey, subresource?: string): string => {
    checkKey(def, key)
    return pathOf(def, { namespace: key.namespace, name: key.name, subresource })
  }
  const complete = (object: T): object => ({ apiVersion: apiVersionOf(def), ...(def.kind && { kind: def.kind }), ...object })
  const api: ResourceApi<T> = {
    def,
    get: async (key, options = {}) =>
      await client.request<Live<T>>({ method: 'GET', path: objectPath(key, options.subresource) }, options),
    async find(key, options) {
      try {
        return await api.get(key, options)
      } catch (error) {
        if (kubeError.is(error, 'KUBE_NOT_FOUND')) return undefined
        throw error
      }
    },
    async list(options = {}) {
      const items: Live<T>[] = []
      let resourceVersion = ''
      for await (const page of api.pages(options)) {
        items.push(...page.items)
        resourceVersion = page.resourceVersion
      }
      return { items, resourceVersion }
    },
    pages: (options = {}) => listPages(client, def, options),
    create: async (object, options = {}) =>
      await client.request<Live<T>>(
        {
          method: 'POST',
          path: pathOf(def, { namespace: object.metadata?.namespace, ...subresourceOfNew(object, options) }),
          query: writeQuery(options),
          body: complete(object),
        },
        options,
      ),
    replace: async (object, options = {}) =>
      await client.request<Live<T>>(
        {
          method: 'PUT',
          path: objectPath(keyFor(object), options.subresource),
          query: writeQuery(options),
          body: complete(object),
        },
        options,
      ),
    async patch(key, patch, options = {}) {
      const type = options.type ?? 'merge'
      const query = { ...writeQuery(options), ...(type === 'apply' && { force: options.force ?? false }) }
      const body = type === 'apply' ? complete(patch as T) : patch
      return await client.request<Live<T>>(
        { method: 'PATCH', path: objectPath(key, options.subresource), query, body, contentType: patchTypes[type] },
        options,
      )
    },
    async delete(key, options = {}) {
      const { uid, resourceVersion, propagation, gracePeriodSeconds, ignoreNotFound = true } = options
      const body = {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        ...((uid || resourceVersion) && {
          preconditions: { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) },
        }),
        ...(propagation && { propagationPolicy: propagation }),
        ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
      }
      try {
        await client.request({ method: 'DELETE', path: objectPath(key), body }, options)
      } catch (error) {
        if (!(ignoreNotFound && kubeError.is(error, 'KUBE_NOT_FOUND'))) throw error
      }
    },
    async update(key, change, options = {}) {
      for (let tries = 1; ; tries++) {
        const current = await api.get(key, options)
        const wanted = change(structuredClone(current))
        if (wanted === undefined) return current
        try {
          return await api.replace(wanted, options)
        } catch (error) {
          if (!kubeError.is(error, 'KUBE_CONFLICT') || tries >= updateTries) throw error
          await clock.sleep(backoffMs(tries, updateBackoff), options.signal)
        }
      }
    },
  }
  return api
}

function subresourceOfNew(object: KubeObject, options: WriteOptions): { name?: string; subresource?: string } {
  if (options.subresource === undefined) return {}
  return { name: keyFor(object).name, subresource: options.subresource }
}

function keyFor(object: KubeObject): ObjectKey {
  return { namespace: object.metadata?.namespace, name: object.metadata?.name ?? '' }
}

/** An empty name would silently mean the whole collection: a DELETE of it would empty a namespace. */
function checkKey(def: ResourceName & { readonly namespaced?: boolean }, key: ObjectKey): void {
  if (key.name === '') throw kubeError('KUBE_INVALID', `${describeObject(def)}: an object needs a name`)
  if (def.namespaced === true && !key.namespace)
    throw kubeError('KUBE_INVALID', `${describeObject(def, key.name)}: a namespace is needed`)
}

function writeQuery(options: WriteOptions): Record<string, QueryValue> {
  return {
    fieldManager: options.fieldManager,
    dryRun: options.dryRun ? 'All' : undefined,
    fieldValidation: options.strict ? 'Strict' : undefined,
  }
}

interface RawList<T> {
  readonly items?: readonly Live<T>[]
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string }
}

async function* listPages<T extends KubeObject>(
  client: KubeClient,
  def: ResourceDef<T>,
  options: ListOptions,
): AsyncGenerator<ObjectList<T>> {
  const { namespace, labelSelector, fieldSelector, pageSize = 500, cached = false } = options
  let token: string | undefined
  do {
    const query = {
      labelSelector,
      fieldSelector,
      ...(cached ? { resourceVersion: '0' } : { limit: pageSize, continue: token }),
    }
    let page: RawList<T>
    try {
      page = await client.request<RawList<T>>({ method: 'GET', path: pathOf(def, { namespace }), query }, options)
    } catch (error) {
      // The continue token outlived etcd's history: a caller that saw the first pages must start over.
      if (token === undefined || !kubeError.is(error, 'KUBE_GONE')) throw error
      throw kubeError('KUBE_GONE', `${describeObject(def)}: the list took too long and must begin anew`, { cause: error })
    }
    token = page.metadata?.continue || undefined
    yield {
      items: (page.items ?? []).map((item) => withKind(item, def)),
      resourceVersion: page.metadata?.resourceVersion ?? '',
    }
  } while (token !== undefined)
}

/** Objects inside a list come without apiVersion and kind. */
function withKind<T extends KubeObject>(item: Live<T>, def: ResourceDef<T>): Live<T> {
  return item.kind !== undefined || def.kind === undefined ? item : { apiVersion: apiVersionOf(def), kind: def.kind, ...item }
}
